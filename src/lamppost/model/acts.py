"""What acts are about: those of a camera may be read by who may see that camera's alone, all others by who may see everything."""

from __future__ import annotations

from typing import Final

NODE: Final = "node"
"""The subject of an act that is about no camera, no user and no file. No camera may be called so."""

NOBODY: Final = "-"
"""The actor of an act of somebody who is not known. No user may be called so."""

CAMERA_ACTS: Final = frozenset(
    {
        "alarm_cleared",
        "alarm_raised",
        "camera_added",
        "camera_audited",
        "camera_changed",
        "camera_disarmed",
        "camera_found_again",
        "camera_imported",
        "camera_origin_changed",
        "camera_password_rotated",
        "camera_removed",
        "camera_rolled_back",
        "camera_steered",
        "camera_tested",
        "clip_exported",
        "event_acknowledged",
        "event_commented",
        "footage_forgotten",
        "hold_placed",
        "hold_released",
        "live_view_ended",
        "live_viewed",
        "past_viewed",
        "rules_changed",
        "rules_tried",
        "snapshot_viewed",
        "still_viewed",
    }
)
"""Their subject is the name of one camera, or `node`. Of all other kinds it is none, even where it reads like one: a user may be
called as a camera is."""

OTHER_ACTS: Final = frozenset(
    {
        "backup_created",
        "backup_ordered",
        "backup_restored",
        "cameras_searched",
        "configuration_changed",
        "configuration_changed_by",
        "credential_key_changed",
        "firmware_list_changed",
        "import_profile_changed",
        "index_upgraded",
        "journal_damaged",
        "journal_newer",
        "link_made",
        "notices_revived",
        "notification_tested",
        "orphan_dropped",
        "password_changed",
        "process_died",
        "record_refused",
        "segment_lost",
        "sessions_ended",
        "sign_in_refused",
        "signed_in",
        "signed_out",
        "started",
        "stopped",
        "token_made",
        "token_removed",
        "totp_off",
        "totp_on",
        "user_added",
        "user_changed",
        "user_removed",
    }
)
"""Of the node, of users, carriers and files."""
