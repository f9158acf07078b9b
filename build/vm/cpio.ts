// An archive as the kernel wants its initramfs. Documentation/driver-api/early-userspace/buffer-format.rst

/** A file of an archive; its directories come before it. */
export interface ArchiveEntry {
	/** Relative to the root. */
	readonly path: string;
	/** Undefined for a directory. */
	readonly content?: Buffer;
}

const DIRECTORY_MODE = 0o40_755;
const EXECUTABLE_MODE = 0o100_755;
const TRAILER = 'TRAILER!!!';

/** The entries in cpio's format "newc": directories and executable files, owned by root. */
export function encodeArchive(entries: readonly ArchiveEntry[]): Buffer {
	const members = entries.map(({ path, content }, index) =>
		content === undefined
			? encodeMember(path, index + 1, DIRECTORY_MODE, Buffer.alloc(0))
			: encodeMember(path, index + 1, EXECUTABLE_MODE, content),
	);
	return Buffer.concat([...members, encodeMember(TRAILER, 0, 0, Buffer.alloc(0))]);
}

function encodeMember(path: string, inode: number, mode: number, content: Buffer): Buffer {
	const name = Buffer.from(`${path}\0`);
	const [user, group, links, time, major, minor, checksum] = [0, 0, 1, 0, 0, 0, 0];
	const fields = [inode, mode, user, group, links, time, content.length, major, minor, major, minor, name.length];
	const header = `070701${[...fields, checksum].map((field) => field.toString(16).padStart(8, '0')).join('')}`;
	return padded(Buffer.concat([padded(Buffer.concat([Buffer.from(header), name])), content]));
}

function padded(buffer: Buffer): Buffer {
	return Buffer.concat([buffer, Buffer.alloc(-buffer.length & 3)]);
}
