// Decides whether the agent is well, for GET /healthz.

import type { ClusterState } from '../master/cluster-state.ts';

export interface Health {
	readonly isWell: boolean;
	readonly details: {
		readonly master: 'connected' | 'away';
		readonly revision: string | undefined;
		readonly problems: readonly string[];
	};
}

/** Without the master, the networks work as they are. `problems` are those of the host as a whole. */
export function healthOf(
	problems: readonly string[],
	state: Pick<ClusterState, 'revision'> | undefined,
	isConnected: boolean,
): Health {
	const isWell = problems.length === 0 && state !== undefined;
	return { isWell, details: { master: isConnected ? 'connected' : 'away', revision: state?.revision, problems } };
}
