// Serves a call as one of the plugins, with the streams of this process.

import { bridgePlugin } from './bridge/plugin.ts';
import { dispatch } from './cni/dispatch.ts';
import { ipamPlugin } from './ipam/plugin.ts';
import { note } from './linux/standard-error.ts';
import { readStdin } from './linux/standard-input.ts';
import { writeStdout } from './linux/standard-output.ts';

/** Returns the exit status. The link by which the file is called says which plugin it is. */
export function serve(): Promise<number> {
	const plugin = process.argv0.endsWith('-ipam') ? ipamPlugin : bridgePlugin;
	return dispatch(plugin, process.env, { readStdin, writeStdout, note });
}
