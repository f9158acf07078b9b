// IP addresses between text and bytes, 4 or 16 of them.
//
// Not by ipaddr.js, although it is right: to load it takes a tenth of an ADD, since it makes tables of special ranges.
// The tests compare this with it.

/**
 * The bytes of an address, or undefined when the text is none. As strict as Go's netip.ParseAddr: four decimal octets
 * without leading zeros, or RFC 4291 §2.2 without a zone.
 */
export function parseIp(text: string): Uint8Array | undefined {
	return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** The text of an address of 4 or 16 bytes: dotted decimal, or RFC 5952. */
export function formatIp(ip: Uint8Array): string {
	return ip.length === 4 ? `${ip[0]}.${ip[1]}.${ip[2]}.${ip[3]}` : formatIpv6(ip);
}

/** Whether an address of 4 or 16 bytes is valid on one link only. RFC 3927, RFC 4291 §2.5.6 */
export function isLinkLocal(ip: Uint8Array): boolean {
	const [first = 0, second = 0] = ip;
	return ip.length === 4 ? first === 169 && second === 254 : first === 0xfe && second >> 6 === 2;
}

function parseIpv4(text: string): Uint8Array | undefined {
	const octets = text.split('.');
	if (octets.length !== 4) return undefined;
	const ip = new Uint8Array(4);
	for (let at = 0; at < 4; at++) {
		const octet = octets[at] ?? '';
		const value = Number(octet);
		// Only the one way to write a number: no sign, no leading zero, no blank, not empty.
		if (!(value >= 0 && value <= 255) || String(value) !== octet) return undefined;
		ip[at] = value;
	}
	return ip;
}

function parseIpv6(text: string): Uint8Array | undefined {
	const gap = text.indexOf('::');
	const head = gap === -1 ? parseGroups(text) : parseGroups(text.slice(0, gap), false);
	const tail = gap === -1 ? [] : parseGroups(text.slice(gap + 2));
	if (head === undefined || tail === undefined) return undefined;
	const length = head.length + tail.length;
	if (gap === -1 ? length !== 16 : length > 14) return undefined;
	const ip = new Uint8Array(16);
	ip.set(head);
	ip.set(tail, 16 - tail.length);
	return ip;
}

/** The bytes of groups between colons, of which the last may be an IPv4 address at the end of the whole. */
function parseGroups(text: string, isEnd = true): number[] | undefined {
	const bytes: number[] = [];
	if (text === '') return bytes;
	const groups = text.split(':');
	for (let at = 0; at < groups.length; at++) {
		const group = groups[at] ?? '';
		if (group.includes('.')) {
			const ipv4 = isEnd && at === groups.length - 1 ? parseIpv4(group) : undefined;
			if (ipv4 === undefined) return undefined;
			bytes.push(...ipv4);
			continue;
		}
		if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
		const value = Number.parseInt(group, 16);
		bytes.push(value >> 8, value & 0xff);
	}
	return bytes;
}

/** RFC 5952 §4: lower case, no leading zeros, `::` for the first longest run of two zero groups or more. */
function formatIpv6(ip: Uint8Array): string {
	const groups: string[] = [];
	for (let at = 0; at < 16; at += 2) groups.push((((ip[at] ?? 0) << 8) | (ip[at + 1] ?? 0)).toString(16));
	let start = 0;
	let longest = 1;
	for (let at = 0; at < 8; at++) {
		let end = at;
		while (groups[end] === '0') end++;
		if (end - at > longest) [start, longest] = [at, end - at];
		at = Math.max(at, end - 1);
	}
	if (longest === 1) return groups.join(':');
	return `${groups.slice(0, start).join(':')}::${groups.slice(start + longest).join(':')}`;
}

/** The family of an address or a CIDR that is known to be one. */
export function familyOf(text: string): 4 | 6 {
	return text.includes(':') ? 6 : 4;
}
