// Runs the shell examples of the pages where they do no harm: with a network, a /run and an /opt of their own.
import { type Outcome, run, systemPath } from '../helpers/command.ts';
import { projectDirectory } from './markdown.ts';

/** Runs a script in the project's directory; the first command that fails ends it. Root's only. */
export function runInSandbox(script: string): Outcome {
	const prepared = [
		'set -e',
		'for directory in /run /opt; do mount -t tmpfs tmpfs $directory; done',
		'ip link set lo up',
		`cd '${projectDirectory}'`,
		'set -x',
		script,
	].join('\n');
	return run(['unshare', '--net', '--mount', 'sh', '-c', prepared], {
		environment: { PATH: systemPath, LANG: 'C.UTF-8' },
	});
}
