// English of the page cameras.
export const cameras = {
  title: 'Cameras',
} as const;
