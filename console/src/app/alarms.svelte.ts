// What is wrong right now, for the count in the frame: of the whole node where one may see it, else of one's own cameras.
import { api, isAborted } from '../api/client.ts';
import type { Alarm, Camera, System } from '../api/types.ts';
import { session } from './session.svelte.ts';

class Alarms {
  all = $state.raw<Alarm[]>([]);

  get urgent(): number {
    return this.all.filter((alarm) => alarm.severity === 'alarm').length;
  }

  async reload(signal?: AbortSignal): Promise<void> {
    try {
      if (session.may('see_system')) this.all = (await api.get<System>('/system', { signal, retries: false })).alarms;
      else if (session.mayAnywhere('see_cameras')) {
        const { items } = await api.get<{ items: Camera[] }>('/cameras', { signal, retries: false });
        this.all = items.flatMap((camera) => camera.alarms);
      }
    } catch (error) {
      // The banner says that the server is away; a count that is some seconds old harms nobody.
      if (!isAborted(error)) return;
    }
  }
}

export const alarms = new Alarms();
