// Waiting without an event loop.

/** Blocks the thread for so many milliseconds. */
export function pause(milliseconds: number): void {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
