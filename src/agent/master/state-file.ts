// Keeps the last state on the disk, some time after it has come: of many changes in a row, only the last is worth that.

import { messageOf } from '../../ipam/lease-error.ts';
import type { ClusterState } from './cluster-state.ts';
import { readLastState, writeLastState } from './last-state.ts';
import type { Log } from '../log.ts';

export interface StateFile {
	/** What was kept; undefined: nothing, or nothing that can be read. */
	read(): ClusterState | undefined;
	/** Has a state be kept soon. */
	keep(state: ClusterState): void;
	/** Keeps what is not kept yet. */
	flush(): void;
}

/** Milliseconds for which changes are collected. */
const KEEP_AFTER = 300;

export function createStateFile(directory: string, log: Log): StateFile {
	let unkept: ClusterState | undefined;
	let timer: NodeJS.Timeout | undefined;

	function flush(): void {
		clearTimeout(timer);
		timer = undefined;
		if (unkept === undefined) return;
		try {
			writeLastState(directory, unkept);
		} catch (error) {
			log('error', 'last state not kept', { directory, error: messageOf(error) });
		}
		unkept = undefined;
	}

	return {
		read: () => {
			try {
				return readLastState(directory);
			} catch (error) {
				log('error', 'last state not used', { directory, error: messageOf(error) });
				return undefined;
			}
		},
		keep: (state) => {
			unkept = state;
			timer ??= setTimeout(flush, KEEP_AFTER);
		},
		flush,
	};
}
