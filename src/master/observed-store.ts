// A store that tells how its commits went.

import { type StateStore, StoreError } from './store.ts';

export interface ObservedStore extends StateStore {
	/** Why the last commit failed; undefined when it did not. */
	problem(): string | undefined;
	/** Calls a function after each commit, with its length in seconds, and the error if there was one. */
	onCommit(listener: (seconds: number, error: unknown) => void): void;
}

export function observeStore(store: StateStore): ObservedStore {
	const listeners: ((seconds: number, error: unknown) => void)[] = [];
	let problem: string | undefined;
	return {
		...store,
		commit: async (change, forget) => {
			const begin = performance.now();
			const tell = (error?: unknown): void => {
				problem = error instanceof Error ? error.message : undefined;
				for (const listener of listeners) listener((performance.now() - begin) / 1000, error);
			};
			try {
				await store.commit(change, forget);
				tell();
			} catch (error) {
				tell(error);
				throw error;
			}
		},
		problem: () => problem,
		onCommit: (listener) => void listeners.push(listener),
	};
}

/** Whether a store that has thrown this can be used any further: a full disk may become free. */
export function isLasting(error: unknown): boolean {
	return !(error instanceof StoreError && error.code === 'full');
}
