// The API's documents by area, as docs/reference/api.md and /openapi.json describe them. Names follow the JSON.
export type * from './types/account.ts';
export type * from './types/cameras.ts';
export type * from './types/common.ts';
export type * from './types/counts.ts';
export type * from './types/devices.ts';
export type * from './types/events.ts';
export type * from './types/media.ts';
export type * from './types/node.ts';
export type * from './types/rules.ts';
