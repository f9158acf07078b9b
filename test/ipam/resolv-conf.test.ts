import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import test from 'ava';
import { CniError } from '../../src/cni/errors.ts';
import { decodeResolvConf, readResolvConf } from '../../src/ipam/resolv-conf.ts';
import { temporaryDirectory } from './stores.ts';

const files: Readonly<Record<string, readonly [text: string, dns: object]>> = {
	'one server': ['nameserver 192.0.2.0\n', { nameservers: ['192.0.2.0'] }],
	'comments, blank lines and other keywords': [
		'# one\n; another\n\n  nameserver 192.0.2.1 # behind it\n#nameserver 192.0.2.2\nsortlist 192.0.2.0\nnameservers 192.0.2.3',
		{ nameservers: ['192.0.2.1'] },
	],
	'everything, some of it several times': [
		'domain first.example.com\ndomain example.com\nnameserver 192.0.2.1\nnameserver fd00::53\nsearch a.example.com b.example.com\nsearch c.example.com\noptions ndots:2\noptions timeout:1 rotate\n',
		{
			nameservers: ['192.0.2.1', 'fd00::53'],
			domain: 'example.com',
			search: ['a.example.com', 'b.example.com', 'c.example.com'],
			options: ['ndots:2', 'timeout:1', 'rotate'],
		},
	],
	'keywords without a value': [
		'nameserver\ndomain\ndomain example.com\ndomain\nsearch \noptions\n',
		{ domain: 'example.com' },
	],
	'tabs and carriage returns': [
		'nameserver\t192.0.2.1\r\nsearch\ta\t b\r\n',
		{ nameservers: ['192.0.2.1'], search: ['a', 'b'] },
	],
	nothing: ['', {}],
};

for (const [title, [text, dns]] of Object.entries(files)) {
	test(`a file with ${title}`, (t) => {
		t.deepEqual(decodeResolvConf(text), dns);
	});
}

test('a file is read by its path, and an error names it', (t) => {
	const directory = temporaryDirectory(t);
	writeFileSync(`${directory}/resolv.conf`, 'nameserver 192.0.2.1\n');
	t.deepEqual(readResolvConf(`${directory}/resolv.conf`), { nameservers: ['192.0.2.1'] });
	execFileSync('mkfifo', [`${directory}/pipe`]);
	for (const [path, why] of [
		[`${directory}/none`, 'there is no such file; make it, or set ipam.resolvConf to another'],
		[`${directory}/resolv.conf/none`, 'ENOTDIR'],
		[directory, 'it is a directory'],
		[`${directory}/pipe`, 'it is a device, pipe or socket'],
		[`${directory}/${'x'.repeat(300)}`, 'ENAMETOOLONG'],
	] as const) {
		const error = t.throws(() => readResolvConf(path), { instanceOf: CniError });
		t.is(error?.message, `reading the resolver configuration "${path}": ${why}`);
		t.is(error?.code, 5);
	}
});
