// Paints one camera's timeline on a canvas: what is recorded, where it is not, and what happened. Shapes say what colours say.
import type { Severity } from '../../api/types.ts';
import { colours } from '../../kit/colours.ts';
import type { Bar, Mark } from './lanes.ts';

const STRIPE_PX = 6;

/** How tall a lane is, where its band lies, and its marks; in pixels. */
export interface LaneShape {
  height: number;
  top: number;
  band: number;
  markY: number;
}

/** Many cameras get lower lanes, so that room is left for their pictures. */
export function laneShape(cameras: number): LaneShape {
  return cameras > 4 ? { height: 31, top: 14, band: 13, markY: 7 } : { height: 46, top: 19, band: 18, markY: 9 };
}

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

export function inkOf(): Ink {
  const of = colours(['--sunken', '--series-1', '--bad', '--bad-soft', '--accent', '--line', '--muted', '--note', '--warn']);
  return {
    empty: of['--sunken'],
    masked: of['--series-1'],
    gap: of['--bad'],
    gapSoft: of['--bad-soft'],
    covered: of['--accent'],
    line: of['--line'],
    muted: of['--muted'],
    severity: { info: of['--note'], warning: of['--warn'], alarm: of['--bad'] },
  };
}

export function paint(canvas: HTMLCanvasElement, width: number, shape: LaneShape, all: readonly Bar[], some: readonly Mark[], ink: Ink): void {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(shape.height * scale);
  const pen = canvas.getContext('2d');
  if (!pen) return;
  pen.scale(scale, scale);
  pen.fillStyle = ink.empty;
  pen.fillRect(0, shape.top, width, shape.band);
  for (const bar of all) paintBar(pen, bar, shape, ink);
  for (const mark of some) paintMark(pen, mark, shape.markY, ink);
}

function paintBar(pen: CanvasRenderingContext2D, bar: Bar, { top, band }: LaneShape, ink: Ink): void {
  if (bar.band === 'masked') {
    pen.globalAlpha = 0.72;
    pen.fillStyle = ink.masked;
    pen.fillRect(bar.x, top, bar.width, band);
    pen.globalAlpha = 1;
  } else if (bar.band === 'gap') {
    pen.fillStyle = ink.gapSoft;
    pen.fillRect(bar.x, top, bar.width, band);
    stripes(pen, bar, top, band, ink.gap);
    pen.fillStyle = ink.gap;
    pen.fillRect(bar.x, top + band - 2, bar.width, 2);
  } else if (bar.band === 'covered') {
    pen.fillStyle = ink.covered;
    pen.fillRect(bar.x, top + band / 2, bar.width, band / 2);
  } else if (bar.band === 'reduction') {
    pen.fillStyle = ink.muted;
    for (let x = bar.x; x < bar.x + bar.width; x += 4) pen.fillRect(x, top + band + 3, 2, 2);
  } else {
    pen.fillStyle = ink.line;
    for (let x = bar.x; x < bar.x + bar.width; x += 6) pen.fillRect(x, top + band / 2 - 1, 2, 2);
  }
}

function stripes(pen: CanvasRenderingContext2D, bar: Bar, top: number, band: number, colour: string): void {
  pen.save();
  pen.beginPath();
  pen.rect(bar.x, top, bar.width, band);
  pen.clip();
  pen.strokeStyle = colour;
  pen.globalAlpha = 0.75;
  pen.beginPath();
  const start = Math.floor((bar.x - band) / STRIPE_PX) * STRIPE_PX;
  for (let x = start; x < bar.x + bar.width; x += STRIPE_PX) {
    pen.moveTo(x, top + band);
    pen.lineTo(x + band, top);
  }
  pen.stroke();
  pen.restore();
}

/** A dot for what is only told, a triangle for a warning, a diamond for an alarm; larger where it stands for several. */
function paintMark(pen: CanvasRenderingContext2D, { x, severity, count }: Mark, y: number, ink: Ink): void {
  const size = 4 + (count > 1 ? 1 : 0) + (severity === 'alarm' ? 1 : 0);
  pen.fillStyle = ink.severity[severity];
  pen.beginPath();
  if (severity === 'info') pen.arc(x, y, size - 0.5, 0, Math.PI * 2);
  else if (severity === 'warning') {
    pen.moveTo(x, y - size);
    pen.lineTo(x + size, y + size - 1);
    pen.lineTo(x - size, y + size - 1);
  } else {
    pen.moveTo(x, y - size);
    pen.lineTo(x + size, y);
    pen.lineTo(x, y + size);
    pen.lineTo(x - size, y);
  }
  pen.closePath();
  pen.fill();
}
