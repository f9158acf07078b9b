// What is compared: a column of the result.

import type { Call } from './launcher.ts';
import { PROGRAMS } from './programs.ts';

export interface Competitor {
	readonly title: string;
	readonly version: string;
	/** The first column is ours. Each reference is compared with it; what is `other`, with the first reference. */
	readonly role: 'ours' | 'reference' | 'other';
}

/**
 * A call of a plugin for the interface eth0 of a container, given by its namespace's path; `input` is the path of the
 * network configuration.
 */
export function cniCall(program: string, command: string, container: string, input: string): Call {
	return {
		program,
		environment: [
			`CNI_COMMAND=${command}`,
			`CNI_CONTAINERID=${container.replace('/run/netns/', '')}`,
			`CNI_NETNS=${container}`,
			'CNI_IFNAME=eth0',
			`CNI_PATH=${PROGRAMS}`,
			'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
		],
		input,
	};
}
