// Where the master's state is kept. One file on a disk so far; whatever else can do these four things may follow.

import type { StoredWrite } from '../overlay/records.ts';

/** What was changed at once. */
export interface StoredChange {
	/** One more than that of the change before. */
	readonly revision: number;
	/** Which run of the master has made it. */
	readonly run: string;
	readonly writes: readonly StoredWrite[];
}

export interface StoredState {
	readonly records: readonly StoredWrite[];
	/** The last changes without a gap, the oldest first: all that there were or those that were not forgotten. */
	readonly history: readonly StoredChange[];
}

export interface StateStore {
	/** Reads everything. Throws StoreError when it is not what was written. */
	load(): Promise<StoredState>;
	/**
	 * Writes a change, wholly or not at all, and forgets those up to the revision `forget`. It is durable when this resolves.
	 * Throws StoreError.
	 */
	commit(change: StoredChange, forget: number): Promise<void>;
	/** Copies everything as it is now to a file that is not there yet. Throws StoreError. */
	backUp(path: string): Promise<void>;
	close(): Promise<void>;
}

/**
 * Why a store could not do something. `full`: nothing was changed, and it may work later. `busy`: another process has it.
 * `corrupt`: what it holds cannot be trusted. `failed`: anything else; what is in it now has to be read anew.
 */
export class StoreError extends Error {
	override readonly name = 'StoreError';
	readonly code: 'full' | 'busy' | 'corrupt' | 'failed';

	constructor(code: StoreError['code'], message: string, cause?: unknown) {
		super(message, { cause });
		this.code = code;
	}
}
