// A WebSocket of which a test is the server: those that were made stand in a row, until the test takes them away.

export class FakeSocket {
  static made: FakeSocket[] = [];
  binaryType = '';
  readyState = 0;
  sent: string[] = [];
  isClosed = false;
  onopen: () => void = () => undefined;
  onmessage: (message: { data: unknown }) => void = () => undefined;
  onclose: (event: { code: number; reason: string }) => void = () => undefined;

  constructor(readonly url = '') {
    FakeSocket.made.push(this);
  }

  static get last(): FakeSocket {
    return FakeSocket.made.at(-1)!;
  }

  send(text: string): void {
    this.sent.push(text);
  }

  /** By the page. On a line that is dead, nothing is ever told of it. */
  close(): void {
    this.isClosed = true;
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.onopen();
  }

  say(word: object): void {
    this.onmessage({ data: JSON.stringify(word) });
  }

  /** By the server, or the network. */
  end(code = 1006, reason = ''): void {
    this.readyState = 3;
    this.onclose({ code, reason });
  }

  /** As a browser tells of every refusal: closed, never open, and no reason. */
  refuse(): void {
    this.end(1006);
  }
}
