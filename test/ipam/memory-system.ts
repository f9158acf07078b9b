// A kernel in memory: files with inodes, names and locks, devices, namespaces, and processes that make one call at a time.
import { O_CREAT, O_EXCL, type FileStatus } from '../../src/linux/files.ts';
import type { System } from '../../src/ipam/system.ts';
import { thisBoot } from './stores.ts';

interface Inode {
	readonly number: number;
	readonly kind: 'file' | 'directory';
	bytes: Buffer;
	links: number;
	/** The open file that has the lock. */
	lock: OpenFile | undefined;
}

interface OpenFile {
	readonly inode: Inode;
	readonly process: number;
}

const NAMESPACES = '/namespaces/';

const refuse = (code: string): never => {
	throw Object.assign(new Error(code), { code });
};

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/** What all processes share. */
export function createMemoryKernel() {
	const names = new Map<string, Inode>();
	const open = new Map<number, OpenFile>();
	/** Namespaces by path and devices by name: what is in here exists. */
	const alive = new Set<string>();
	/** Seconds since the boot. */
	const clock = { uptime: 1 };
	let lastNumber = 0;

	const make = (path: string, kind: Inode['kind']): Inode => {
		if (names.has(path)) refuse('EEXIST');
		if (parentOf(path) !== '' && names.get(parentOf(path))?.kind !== 'directory') refuse('ENOENT');
		const inode = { number: ++lastNumber, kind, bytes: Buffer.alloc(0), links: 1, lock: undefined };
		names.set(path, inode);
		return inode;
	};
	const opened = (descriptor: number): OpenFile => open.get(descriptor) ?? refuse('EBADF');
	const status = (inode: Inode): FileStatus => ({
		kind: inode.kind,
		device: 1,
		inode: inode.number,
		links: inode.links,
		owner: process.geteuid?.() ?? 0,
		mode: inode.kind === 'file' ? 0o600 : 0o700,
		size: inode.bytes.length,
	});

	/** The calls of one process. `lock` never waits here; who schedules does. */
	const callsOf = (process: number): Omit<System, 'held'> => ({
		openFile(path, flags) {
			const found = names.get(path);
			if (found !== undefined && (flags & O_EXCL) !== 0) refuse('EEXIST');
			const inode = found ?? ((flags & O_CREAT) === 0 ? refuse('ENOENT') : make(path, 'file'));
			open.set(++lastNumber, { inode, process });
			return lastNumber;
		},
		closeFile(descriptor) {
			const file = opened(descriptor);
			if (file.inode.lock === file) file.inode.lock = undefined;
			open.delete(descriptor);
		},
		lock(descriptor) {
			const file = opened(descriptor);
			file.inode.lock ??= file;
			return file.inode.lock === file;
		},
		readAt(descriptor, buffer, position) {
			return opened(descriptor).inode.bytes.copy(buffer, 0, position);
		},
		writeAt(descriptor, bytes, position) {
			const { inode } = opened(descriptor);
			const grown = Buffer.alloc(Math.max(inode.bytes.length, position + bytes.length));
			inode.bytes.copy(grown);
			grown.set(bytes, position);
			inode.bytes = grown;
			return bytes.length;
		},
		linkFile(existing, path) {
			const inode = names.get(existing) ?? refuse('ENOENT');
			if (names.has(path)) refuse('EEXIST');
			names.set(path, inode);
			inode.links++;
		},
		unlinkFile(path) {
			const inode = names.get(path) ?? refuse('ENOENT');
			names.delete(path);
			inode.links--;
		},
		makeDirectory(path, { recursive }) {
			if (!recursive || !names.has(path)) make(path, 'directory');
		},
		makePrivate() {},
		listDirectory(path) {
			if (names.get(path)?.kind !== 'directory') refuse('ENOENT');
			return [...names.keys()]
				.filter((name) => parentOf(name) === path)
				.map((name) => name.slice(path.length + 1));
		},
		statusOf: ((file: string | number) => {
			if (typeof file === 'number') return status(opened(file).inode);
			if (file.startsWith(NAMESPACES)) return alive.has(file) ? namespaceStatus : undefined;
			const inode = names.get(file);
			return inode && status(inode);
		}) as System['statusOf'],
		deviceExists: (name) => alive.has(name),
		bootId: () => thisBoot,
		uptime: () => clock.uptime,
	});

	return {
		alive,
		clock,
		callsOf,
		/** Whether the call would have to wait for another process. */
		isLocked: (descriptor: number): boolean => opened(descriptor).inode.lock !== undefined,
		/** Ends a process, however: the kernel closes its files. */
		end(process: number): void {
			for (const [descriptor, file] of open) {
				if (file.process === process) callsOf(process).closeFile(descriptor);
			}
		},
		/** The names in a directory with what they stand for. */
		entries: (directory: string): { name: string; inode: number; text: string }[] =>
			[...names]
				.filter(([path]) => parentOf(path) === directory)
				.map(([path, inode]) => ({
					name: path.slice(directory.length + 1),
					inode: inode.number,
					text: inode.bytes.toString(),
				})),
	};
}

export type MemoryKernel = ReturnType<typeof createMemoryKernel>;

const namespaceStatus: FileStatus = {
	kind: 'file',
	device: 4,
	inode: 4026532000,
	links: 1,
	owner: 0,
	mode: 0o444,
	size: 0,
};

/** The path of a namespace, and what a lease says of it. */
export function namespaceOf(containerId: string) {
	const { device, inode } = namespaceStatus;
	return { netns: `${NAMESPACES}${containerId}`, namespace: { device, inode } };
}

interface PendingCall {
	readonly name: keyof Omit<System, 'held'>;
	readonly args: readonly unknown[];
}

type Ending<T> = { readonly value: T } | { readonly error: unknown };

/**
 * A process that stops in front of each system call. It can stop anywhere although all is synchronous: it is run from its
 * beginning each time, with the answers that it has had, and abandoned at the first call that has none.
 */
export function createProcess<T>(kernel: MemoryKernel, id: number, body: (system: System) => T) {
	const calls = kernel.callsOf(id);
	const answers: { name: string; answer: Ending<unknown>; read: Buffer | undefined }[] = [];
	let pending: PendingCall | undefined;
	let ending: Ending<T> | undefined;

	function replay(): void {
		let at = 0;
		pending = undefined;
		const call =
			(name: PendingCall['name']) =>
			(...args: unknown[]): unknown => {
				const known = pending === undefined ? answers[at++] : undefined;
				if (known === undefined) {
					pending ??= { name, args };
					throw new Error('abandoned');
				}
				if (known.name !== name) throw new Error(`called ${name} instead of ${known.name}`);
				if (known.read !== undefined) known.read.copy(args[1] as Buffer);
				if ('error' in known.answer) throw known.answer.error;
				return known.answer.value;
			};
		const names = Object.keys(calls) as PendingCall['name'][];
		const system = { ...Object.fromEntries(names.map((name) => [name, call(name)])), held: new Map() };
		const { now } = performance;
		// What a call does must not depend on how long the one before took.
		performance.now = () => 0;
		let result: Ending<T>;
		try {
			result = { value: body(system as unknown as System) };
		} catch (error) {
			result = { error };
		} finally {
			performance.now = now;
		}
		if (pending === undefined) ending = result;
	}

	replay();
	return {
		id,
		/** What the body gave or threw, once it is over. */
		ending: () => ending,
		/** For a process that waits for a lock: until when, in ms. */
		waitsUntil(): number | undefined {
			if (pending?.name !== 'lock' || !kernel.isLocked(pending.args[0] as number)) return undefined;
			const deadline = pending.args[1] as number;
			return deadline > 0 ? deadline : undefined;
		},
		/** Makes the next call. */
		step(): void {
			if (pending === undefined) throw new Error('the process is over');
			const { name, args } = pending;
			let answer: Ending<unknown>;
			try {
				answer = { value: (calls[name] as (...args: readonly unknown[]) => unknown)(...args) };
			} catch (error) {
				answer = { error };
			}
			const read = name === 'readAt' ? Buffer.from(args[1] as Buffer) : undefined;
			answers.push({ name, answer, read: read?.subarray(0, 'value' in answer ? Number(answer.value) : 0) });
			replay();
		},
	};
}

export type SteppedProcess<T> = ReturnType<typeof createProcess<T>>;
