// What all messages about neighbours and forwarding entries have in common. include/uapi/linux/neighbour.h

export const RTM_NEWNEIGH = 28;
export const RTM_DELNEIGH = 29;
export const RTM_GETNEIGH = 30;

export const NDA_DST = 1;
export const NDA_LLADDR = 2;

export const NUD_PERMANENT = 0x80;

export const NTF_SELF = 0x02;
export const NTF_PROXY = 0x08;

/** The length of {@link ndmsg}. */
export const NDMSG = 12;

/** The fixed part of messages about neighbours, struct ndmsg. */
export function ndmsg(family: number, index: number, state: number, flags: number): Buffer {
	const fixed = Buffer.alloc(NDMSG);
	fixed[0] = family;
	new DataView(fixed.buffer, fixed.byteOffset).setInt32(4, index, true);
	fixed[8] = state;
	fixed[10] = flags;
	return fixed;
}
