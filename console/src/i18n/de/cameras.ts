// German of the page cameras.
export const cameras = {
  title: 'Kameras',
} as const;
