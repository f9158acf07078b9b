// What an engine of Docker runs in: namespaces with which all that it starts and writes goes, and control groups of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, rmdirSync } from 'node:fs';
import { basename } from 'node:path';
import type { ExecutionContext } from 'ava';
import { until } from './cluster-process.ts';
import { runOrThrow, systemPath } from './command.ts';
import { dockerPath } from './docker-programs.ts';
import type { Namespace } from './namespace.ts';

export interface DockerMachine {
	/** The directory of what is kept as long as the machine is there. */
	readonly store: string;
	/** The control group of all containers. */
	readonly controlGroup: string;
	/** Starts a program in it. */
	spawn(argv: readonly string[]): ChildProcess;
	/** Ends a program in it by the file that has its number. */
	terminate(pidFile: string): void;
	/** A file of the machine, as it is to be found from outside. */
	outside(path: string): string;
}

/** What the engine writes besides its own directories goes where nobody else sees it; whoever has ended is buried. */
const BEGIN = `
set -e
mount -t tmpfs none "$1"
for place in etc opt run; do
	mkdir -p "$1/$place.new" "$1/$place.work"
	mount -t overlay none -o "lowerdir=/$place,upperdir=$1/$place.new,workdir=$1/$place.work" "/$place"
done
echo ready
sleep infinity & wait`;

/** Makes one that shares the network of a host; `directory` is the host's own, with an empty `store` in it. */
export async function startDockerMachine(
	t: ExecutionContext,
	at: Namespace,
	directory: string,
): Promise<DockerMachine> {
	const store = `${directory}/store`;
	const controlGroup = basename(directory);
	// Not by `ip netns exec`: that hides the control groups. Whatever becomes of us, the machine ends.
	const outer = [
		'--pdeathsig',
		'KILL',
		'nsenter',
		`--net=${at.path}`,
		'unshare',
		'--mount',
		'--propagation',
		'private',
	];
	const inner = ['--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', BEGIN, 'sh', store];
	const child = spawn('setpriv', [...outer, ...inner], {
		env: { PATH: systemPath },
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const ended = once(child, 'exit');
	t.teardown(async () => {
		child.kill('SIGKILL');
		await ended;
		await until('the control groups to go', () => removeControlGroups(controlGroup), 30_000);
	});
	await Promise.race([once(child.stdout, 'data'), ended]);
	if (child.exitCode !== null) throw new Error(`the machine of an engine ended with status ${child.exitCode}`);
	const first = runOrThrow(['ps', '-o', 'pid=', '--ppid', String(child.pid)]).trim();
	const outside = (path: string): string => `/proc/${first}/root${path}`;
	const enter = [`--target=${first}`, '--mount', '--pid', `--net=${at.path}`];
	return {
		store,
		controlGroup,
		spawn: ([program = '', ...rest]) =>
			spawn('nsenter', [...enter, program, ...rest], {
				env: { PATH: `${dockerPath}:${systemPath}` },
				stdio: ['ignore', 'ignore', 'pipe'],
			}),
		terminate: (pidFile) => {
			runOrThrow(['nsenter', ...enter, 'kill', readFileSync(outside(pidFile), 'utf8').trim()]);
		},
		outside,
	};
}

/** Gives whether none is left. */
function removeControlGroups(name: string): boolean {
	const deepestFirst = globSync(`/sys/fs/cgroup/{,*/}${name}{,/**}/`).toSorted((a, b) => b.length - a.length);
	for (const group of deepestFirst) {
		try {
			rmdirSync(group);
		} catch {
			// Somebody in it is still ending.
			return false;
		}
	}
	return true;
}
