// English of the roles.
export const role = {
  viewer: 'Viewer',
  operator: 'Operator',
  ptz_operator: 'Operator who steers',
  analyst: 'Analyst',
  privacy_officer: 'Privacy officer',
  evidence_officer: 'Evidence officer',
  custodian: 'Custodian',
  administrator: 'Administrator',
  viewer_about: 'Sees cameras, live pictures and events.',
  operator_about: 'Also looks at the past, exports clips, handles events and sees counts.',
  ptz_operator_about: 'An operator who also turns cameras; the picture is covered while they turn.',
  analyst_about: 'Sees live pictures, events and counts, and draws rules.',
  privacy_officer_about: 'Sees what is recorded, masked, held and done; changes nothing.',
  evidence_officer_about: 'Looks at the past, exports clips and places holds.',
  custodian_about: 'Sees holds and acts; holds one of the keys.',
  administrator_about: 'Sets everything up, and watches no recordings.',
} as const;
