// The shell examples and links of the pages, as they are.
import { existsSync, globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { codeBlocks, projectDirectory, readPage } from './markdown.ts';
import { runInSandbox } from './sandbox.ts';

const attachExample = [
	'ip netns add blue',
	'CNI_COMMAND=ADD CNI_CONTAINERID=example CNI_NETNS=/run/netns/blue CNI_IFNAME=eth0 build/bin/mesos-overlay < cni-conf/dcos.conf',
	'ip -n blue link set lo up',
].join('\n');

/** What has to be there before the examples of a page. */
const before: Readonly<Record<string, string>> = {
	'README.md': '',
	'docs/configuration.md': 'ip netns add blue',
	'docs/operations.md': attachExample,
	'docs/troubleshooting.md': attachExample,
};

for (const [path, preparation] of Object.entries(before)) {
	test(`the shell examples of ${path}`, (t) => {
		const examples = codeBlocks(readPage(path), 'sh');
		t.true(examples.length > 0);
		const look = ['echo "== after"', 'ip -brief link', 'find /run -type f -not -path "/run/netns/*"'];
		const { status, stdout, stderr } = runInSandbox([preparation, ...examples, ...look].join('\n'));
		t.is(status, 0, `${stdout}\n${stderr}`);
		if (path === 'docs/troubleshooting.md') t.regex(stdout, /^ready$/m);
		// the other pages take everything away again
		else t.regex(stdout, /== after\nlo .*\n(?:.*\/last\.0\n)?$/);
	});
}

const pages = ['README.md', ...globSync('docs/*.md', { cwd: projectDirectory })];

for (const path of pages) {
	test(`the links of ${path}`, (t) => {
		const page = readPage(path);
		const links = Array.from(page.matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target);
		t.true(links.length > 0);
		for (const link of links.filter((target) => !/^https?:/.test(target))) {
			const [file = '', anchor] = link.split('#');
			const target = file === '' ? path : join(dirname(path), file);
			t.true(existsSync(join(projectDirectory, target)), link);
			if (anchor !== undefined) t.true(anchorsOf(readPage(target)).includes(anchor), link);
		}
	});
}

/** The names that GitHub gives to headings. */
function anchorsOf(page: string): string[] {
	return Array.from(page.matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
		heading
			.toLowerCase()
			.replace(/[^\w\s-]/g, '')
			.trim()
			.replaceAll(' ', '-'),
	);
}
