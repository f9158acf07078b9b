// The last resort against a kernel that does not come back: the process ends by SIGALRM.

import { alarm } from '#libc';

/** How long after the deadline, in seconds; every wait of our own gives up at the deadline, and undoes what it did. */
const GRACE = 5;

/** Has the kernel end this process some seconds after `deadline` (ms of performance.now()), wherever it hangs by then. */
export function armWatchdog(deadline: number): void {
	alarm(Math.max(1, Math.ceil((deadline - performance.now()) / 1000)) + GRACE);
}
