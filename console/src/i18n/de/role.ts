// German of the roles.
export const role = {
  viewer: 'Betrachtung',
  operator: 'Leitstand',
  ptz_operator: 'Leitstand mit Steuerung',
  analyst: 'Auswertung',
  privacy_officer: 'Datenschutz',
  evidence_officer: 'Beweissicherung',
  custodian: 'Schlüsselverwahrung',
  administrator: 'Verwaltung',
  viewer_about: 'Sieht Kameras, Live-Bilder und Ereignisse.',
  operator_about: 'Sieht auch Vergangenes, gibt Ausschnitte aus, bearbeitet Ereignisse und sieht Zählungen.',
  ptz_operator_about: 'Wie Leitstand, und dreht auch Kameras; solange sie sich drehen, ist das Bild verdeckt.',
  analyst_about: 'Sieht Live-Bilder, Ereignisse und Zählungen und zeichnet Regeln.',
  privacy_officer_about: 'Sieht, was aufgezeichnet, maskiert, gehalten und getan wird; ändert nichts.',
  evidence_officer_about: 'Sieht Vergangenes, gibt Ausschnitte aus und hält Zeiträume.',
  custodian_about: 'Sieht Gehaltenes und Handlungen; verwahrt einen der Schlüssel.',
  administrator_about: 'Richtet alles ein und sieht keine Aufnahmen.',
} as const;
