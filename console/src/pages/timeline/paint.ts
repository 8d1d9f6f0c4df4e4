// Paints one camera's timeline on a canvas: what is recorded, where it is not, and what happened. Shapes say what colours say.
import type { Severity } from '../../api/types.ts';
import type { Bar, Mark } from './lanes.ts';

export const LANE_PX = 46;
const BAND_TOP = 19;
const BAND_PX = 18;
const MARK_Y = 9;
const STRIPE_PX = 6;

/** The colours of the page, read from its tokens. */
export interface Ink {
  empty: string;
  masked: string;
  gap: string;
  gapSoft: string;
  covered: string;
  line: string;
  muted: string;
  severity: Record<Severity, string>;
}

export function inkOf(element: Element): Ink {
  const style = getComputedStyle(element);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  return {
    empty: token('--sunken'),
    masked: token('--series-1'),
    gap: token('--bad'),
    gapSoft: token('--bad-soft'),
    covered: token('--accent'),
    line: token('--line'),
    muted: token('--muted'),
    severity: { info: token('--note'), warning: token('--warn'), alarm: token('--bad') },
  };
}

export function paint(canvas: HTMLCanvasElement, width: number, all: readonly Bar[], some: readonly Mark[], ink: Ink): void {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(LANE_PX * scale);
  const pen = canvas.getContext('2d');
  if (!pen) return;
  pen.scale(scale, scale);
  pen.fillStyle = ink.empty;
  pen.fillRect(0, BAND_TOP, width, BAND_PX);
  for (const bar of all) paintBar(pen, bar, ink);
  for (const mark of some) paintMark(pen, mark, ink);
}

function paintBar(pen: CanvasRenderingContext2D, bar: Bar, ink: Ink): void {
  if (bar.band === 'masked') {
    pen.globalAlpha = 0.72;
    pen.fillStyle = ink.masked;
    pen.fillRect(bar.x, BAND_TOP, bar.width, BAND_PX);
    pen.globalAlpha = 1;
  } else if (bar.band === 'gap') {
    pen.fillStyle = ink.gapSoft;
    pen.fillRect(bar.x, BAND_TOP, bar.width, BAND_PX);
    stripes(pen, bar, ink.gap);
    pen.fillStyle = ink.gap;
    pen.fillRect(bar.x, BAND_TOP + BAND_PX - 2, bar.width, 2);
  } else if (bar.band === 'covered') {
    pen.fillStyle = ink.covered;
    pen.fillRect(bar.x, BAND_TOP + BAND_PX / 2, bar.width, BAND_PX / 2);
  } else if (bar.band === 'reduction') {
    pen.fillStyle = ink.muted;
    for (let x = bar.x; x < bar.x + bar.width; x += 4) pen.fillRect(x, BAND_TOP + BAND_PX + 3, 2, 2);
  } else {
    pen.fillStyle = ink.line;
    for (let x = bar.x; x < bar.x + bar.width; x += 6) pen.fillRect(x, BAND_TOP + BAND_PX / 2 - 1, 2, 2);
  }
}

function stripes(pen: CanvasRenderingContext2D, bar: Bar, colour: string): void {
  pen.save();
  pen.beginPath();
  pen.rect(bar.x, BAND_TOP, bar.width, BAND_PX);
  pen.clip();
  pen.strokeStyle = colour;
  pen.globalAlpha = 0.75;
  pen.beginPath();
  const start = Math.floor((bar.x - BAND_PX) / STRIPE_PX) * STRIPE_PX;
  for (let x = start; x < bar.x + bar.width; x += STRIPE_PX) {
    pen.moveTo(x, BAND_TOP + BAND_PX);
    pen.lineTo(x + BAND_PX, BAND_TOP);
  }
  pen.stroke();
  pen.restore();
}

/** A dot for what is only told, a triangle for a warning, a diamond for an alarm; larger where it stands for several. */
function paintMark(pen: CanvasRenderingContext2D, { x, severity, count }: Mark, ink: Ink): void {
  const size = 4 + (count > 1 ? 1 : 0) + (severity === 'alarm' ? 1 : 0);
  pen.fillStyle = ink.severity[severity];
  pen.beginPath();
  if (severity === 'info') pen.arc(x, MARK_Y, size - 0.5, 0, Math.PI * 2);
  else if (severity === 'warning') {
    pen.moveTo(x, MARK_Y - size);
    pen.lineTo(x + size, MARK_Y + size - 1);
    pen.lineTo(x - size, MARK_Y + size - 1);
  } else {
    pen.moveTo(x, MARK_Y - size);
    pen.lineTo(x + size, MARK_Y);
    pen.lineTo(x, MARK_Y + size);
    pen.lineTo(x - size, MARK_Y);
  }
  pen.closePath();
  pen.fill();
}
