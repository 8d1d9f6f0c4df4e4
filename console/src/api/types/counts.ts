// What was counted where, and the heat of a picture.
import type { Time } from './common.ts';

export type PlaceKind = 'line' | 'zone' | 'picture';

export interface Place {
  camera: string;
  kind: PlaceKind;
  place: string;
}

export interface Bucket {
  from: Time;
  to: Time;
  observed_s: number;
  /** Unknown is null, never 0. */
  count: number | null;
  mean: number | null;
  most: number | null;
}

export interface Series {
  camera: string;
  place_kind: PlaceKind;
  place: string;
  measure: string;
  kind: string | null;
  buckets: Bucket[];
}

export type By = 'minute' | 'quarter' | 'hour' | 'day';

export interface Counts {
  by: By;
  timezone: string;
  series: Series[];
}

export interface Heat {
  columns: number;
  rows: number;
  cells: number[];
  observed_s: number;
}
