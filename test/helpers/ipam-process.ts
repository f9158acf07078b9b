// Calls the executable as an IPAM plugin, each call a process that may be stopped and killed.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { executable, type Result } from './cni.ts';
import { systemPath } from './command.ts';
import type { Configuration } from './network-configuration.ts';

export interface IpamCall {
	readonly command: string;
	readonly containerId?: string;
	readonly configuration: Configuration;
	/** Runs the executable by way of these words, which become it. */
	readonly by?: readonly string[];
}

export interface Ended {
	/** 0, or the code of the error; undefined for a process that was killed before it had answered. */
	readonly code: number | undefined;
	readonly answer: Result | undefined;
	/** Milliseconds of performance.now(): the call was not there before, and not any more after. */
	readonly began: number;
	readonly ended: number;
}

export interface IpamProcess {
	/** Gives it its configuration, for which it waits until then. */
	feed(): void;
	kill(signal: NodeJS.Signals): void;
	/** Whether it has been stopped, as the kernel says. */
	isStopped(): boolean;
	readonly ended: Promise<Ended>;
}

/** Starts a process, which waits for {@link IpamProcess.feed}. */
export function startIpam({ command, containerId, configuration, by = [] }: IpamCall): IpamProcess {
	const environment = {
		PATH: systemPath,
		CNI_COMMAND: command,
		CNI_PATH: '/none',
		...(containerId !== undefined && {
			CNI_CONTAINERID: containerId,
			CNI_NETNS: '/proc/self/ns/net',
			CNI_IFNAME: 'eth0',
		}),
	};
	const [program, ...rest] = [...by, `${executable}-ipam`];
	const began = performance.now();
	const child = spawn(program, rest, { env: environment, stdio: 'pipe' });
	// one that was killed does not read
	child.stdin.on('error', () => {});
	const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
	const exit = new Promise<number | null>((resolve, reject) => {
		child.on('error', reject);
		child.on('exit', (status) => resolve(status));
	});
	const ending = async (): Promise<Ended> => {
		const status = await exit;
		const ended = performance.now();
		const [printed, told] = [await stdout, await stderr];
		if (status === null) return { code: undefined, answer: undefined, began, ended };
		const answer = printed === '' ? undefined : (JSON.parse(printed) as Result);
		if (status !== 0 && answer?.code === undefined) throw new Error(`${command}: status ${status}: ${told}`);
		return { code: status === 0 ? 0 : answer?.code, answer, began, ended };
	};
	return {
		feed: () => void child.stdin.end(JSON.stringify(configuration)),
		kill: (signal) => void child.kill(signal),
		isStopped: () => /^State:\s*[Tt]/m.test(readFileSync(`/proc/${child.pid}/status`, 'utf8')),
		ended: ending(),
	};
}
