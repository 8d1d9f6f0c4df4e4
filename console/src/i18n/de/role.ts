// German of the roles.
export const role = {
  viewer: 'Betrachtung',
  operator: 'Leitstand',
  analyst: 'Auswertung',
  privacy_officer: 'Datenschutz',
  evidence_officer: 'Beweissicherung',
  custodian: 'Schlüsselverwahrung',
  administrator: 'Verwaltung',
} as const;
