// A change of the state that is seen at once, and can be taken back until it is durable.

import type { Write } from './records.ts';
import { applyWrite, type LiveState, type OverlayState } from './state.ts';

/** What decides reads the state, and puts its writes, each of which it sees at once. */
export interface Draft {
	readonly state: OverlayState;
	put(write: Write): void;
}

export interface OpenDraft extends Draft {
	/** In the order in which they were put. */
	readonly writes: readonly Write[];
	/** Takes all of it back. */
	discard(): void;
}

export function openDraft(state: LiveState): OpenDraft {
	const writes: Write[] = [];
	const backwards: Write[] = [];
	return {
		state,
		writes,
		put(write) {
			backwards.unshift(applyWrite(state, write));
			writes.push(write);
		},
		discard() {
			for (const write of backwards.splice(0)) applyWrite(state, write);
			writes.length = 0;
		},
	};
}
