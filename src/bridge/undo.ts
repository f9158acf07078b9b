// What an ADD did so far, to be taken back in reverse when a later step fails.

import { toCniError } from '../cni/errors.ts';
import { note } from '../linux/standard-error.ts';

/** Registers how to take back what was just done. */
export type Undo = (what: string, step: () => void | Promise<void>) => void;

/**
 * Does some work of which each step registers how to take it back. When one throws, all are taken back, the last first;
 * what cannot be is told on stderr, and the error that goes on is the first one.
 */
export async function withUndo<T>(work: (undo: Undo) => Promise<T>): Promise<T> {
	const steps: { readonly what: string; readonly step: () => void | Promise<void> }[] = [];
	try {
		return await work((what, step) => void steps.push({ what, step }));
	} catch (error) {
		for (const { what, step } of steps.toReversed()) {
			try {
				await step();
			} catch (failure) {
				note(`taking back ${what}: ${toCniError(failure).message}`);
			}
		}
		throw error;
	}
}
