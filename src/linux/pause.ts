// Waiting for the kernel without giving the thread away, which may be in another namespace.

const cell = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps for some milliseconds. */
export function pause(milliseconds: number): void {
	Atomics.wait(cell, 0, 0, milliseconds);
}

/**
 * Looks again and again, at first every 0.1 ms and then less and less often, up to every 20 ms, until `look` is content
 * or `deadline` (ms of performance.now()) is over. Returns whether it was content.
 */
export function waitUntil(deadline: number, look: () => boolean): boolean {
	for (let wait = 0.1; !look(); wait = Math.min(wait * 2, 20)) {
		if (performance.now() >= deadline) return false;
		pause(wait);
	}
	return true;
}
