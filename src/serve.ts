// Serves a call as one of the plugins, with the streams of this process.

import { dispatch } from './cni/dispatch.ts';
import type { Plugin } from './cni/plugin.ts';
import { note } from './linux/standard-error.ts';
import { readStdin } from './linux/standard-input.ts';
import { writeStdout } from './linux/standard-output.ts';

/** Returns the exit status. */
export function serve(plugin: Plugin): Promise<number> {
	return dispatch(plugin, process.env, { readStdin, writeStdout, note });
}
