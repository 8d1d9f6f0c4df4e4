// A short, soft sound for alarms; made here, so that no file of sound need be fetched.

let context: AudioContext | null = null;

/** Two falling notes. A browser that has not been clicked yet may stay silent. */
export function chime(): void {
  context ??= new AudioContext();
  const start = context.currentTime + 0.02;
  for (const [at, frequency] of [
    [0, 660],
    [0.18, 495],
  ] as const) {
    const note = context.createOscillator();
    const volume = context.createGain();
    note.frequency.value = frequency;
    volume.gain.setValueAtTime(0, start + at);
    volume.gain.linearRampToValueAtTime(0.12, start + at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0005, start + at + 0.4);
    note.connect(volume).connect(context.destination);
    note.start(start + at);
    note.stop(start + at + 0.45);
  }
}
