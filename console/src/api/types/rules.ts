// Rules; the book's fields are those of the rules file (docs/reference/rules.md).
import type { Time } from './common.ts';

export type RuleBook = Record<string, unknown>;

export interface Rules {
  rules: RuleBook;
  file: string | null;
  /** What is wrong with the file, where somebody made a mistake in it: then `rules` are those in force. */
  problem: string;
  etag: string | null;
}

export interface RuleMistake {
  at: string;
  problem: string;
}

export interface CalibrationCheck {
  error_px: number | null;
  error_m: number;
  /** As the others foretell each point; null for four points, which always fit. */
  left_out_error_m: number | null;
  points: { residual_px: number | null; residual_m: number }[];
  homography: number[][];
}

export interface RuleTrial {
  state: 'running' | 'done' | 'failed';
  progress: number;
  result: {
    /** `compared`: the same line as it was counted live, where it was there already. */
    lines: { name: string; forward: number; backward: number; observed_s: number; compared: { minutes: number; trial: number; live: number } | null }[];
    zones: { name: string; entries: number; exits: number; most: number; observed_s: number }[];
    events: { type: string; rule: string; at: Time }[];
    from: Time;
    to: Time;
    note: string;
  } | null;
  problem: string;
}
