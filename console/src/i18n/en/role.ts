// English of the roles.
export const role = {
  viewer: 'Viewer',
  operator: 'Operator',
  analyst: 'Analyst',
  privacy_officer: 'Privacy officer',
  evidence_officer: 'Evidence officer',
  custodian: 'Custodian',
  administrator: 'Administrator',
} as const;
