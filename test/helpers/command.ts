// Runs other programs for the tests, with the system's own search path and nothing else of our environment.
import { spawn, spawnSync, type StdioOptions } from 'node:child_process';

/** Where the system keeps its tools; npm's own path would put another `nft` first. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface RunOptions {
	/** The whole environment of the program; PATH alone by default. */
	readonly environment?: Readonly<Record<string, string>>;
	/** What the program reads: text, bytes, or an open file descriptor that becomes its stdin. Nothing by default. */
	readonly input?: string | Buffer | number;
	/** Ends a program that was started. */
	readonly until?: AbortSignal;
}

export interface Outcome {
	readonly status: number | null;
	readonly signal: NodeJS.Signals | null;
	readonly stdout: string;
	readonly stderr: string;
}

const OUTPUT_LIMIT = 64 * 1024 * 1024;

/** Runs a program to its end and says how it ended, whatever that is. */
export function run(argv: readonly string[], options: RunOptions = {}): Outcome {
	const [program = '', ...rest] = argv;
	const { input } = options;
	const stdio: StdioOptions = [
		typeof input === 'number' ? input : input === undefined ? 'ignore' : 'pipe',
		'pipe',
		'pipe',
	];
	const ended = spawnSync(program, rest, {
		env: options.environment ?? { PATH: systemPath },
		encoding: 'utf8',
		maxBuffer: OUTPUT_LIMIT,
		stdio,
		...(typeof input === 'number' || input === undefined ? {} : { input }),
	});
	// a program may well end before it has read everything that it was given
	if (ended.error !== undefined && ended.status === null && ended.signal === null) throw ended.error;
	return { status: ended.status, signal: ended.signal, stdout: ended.stdout, stderr: ended.stderr };
}

/** Runs a program that has to succeed, and gives its stdout. */
export function runOrThrow(argv: readonly string[], options: RunOptions = {}): string {
	const outcome = run(argv, options);
	if (outcome.status !== 0) {
		throw new Error(`running "${argv.join(' ')}": status ${outcome.status}: ${outcome.stderr}${outcome.stdout}`);
	}
	return outcome.stdout;
}

/** Starts a program, and gives its outcome when it has ended; several can run at once. */
export function start(argv: readonly string[], options: RunOptions = {}): Promise<Outcome> {
	const [program = '', ...rest] = argv;
	const { input } = options;
	const child = spawn(program, rest, {
		env: options.environment ?? { PATH: systemPath },
		stdio: [typeof input === 'number' ? input : 'pipe', 'pipe', 'pipe'],
		...(options.until === undefined ? {} : { signal: options.until }),
	});
	const stdout: Buffer[] = [];
	const stderr: Buffer[] = [];
	child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
	child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
	child.stdin?.on('error', () => {});
	child.stdin?.end(typeof input === 'number' ? undefined : input);
	return new Promise((resolve, reject) => {
		child.on('error', (error) => {
			if (error.name !== 'AbortError') reject(error);
		});
		child.on('close', (status, signal) => {
			resolve({
				status,
				signal,
				stdout: Buffer.concat(stdout).toString(),
				stderr: Buffer.concat(stderr).toString(),
			});
		});
	});
}

/** Waits without giving way, for tests that are one synchronous sequence. */
function pause(milliseconds: number): void {
	Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Tries until the condition holds; throws when it has not within the time. */
export function eventually(what: string, condition: () => boolean, milliseconds = 5000): void {
	const end = performance.now() + milliseconds;
	while (!condition()) {
		if (performance.now() > end) throw new Error(`waiting for ${what}: not within ${milliseconds} ms`);
		pause(5);
	}
}
