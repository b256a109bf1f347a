#!/usr/bin/env bash
# Makes the files of this folder anew from npm: GraphiQL and React as they are published, minified and without a module loader, in one script and one style
# sheet. Needs Node's npm and the network; the build needs neither. Run it by `just graphiql`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# GraphiQL 3 is the last line that is published as one script; 4 and 5 are modules for a bundler.
packages=(react@18.3.1 react-dom@18.3.1 graphiql@3.9.0)
npm pack --silent "${packages[@]}" > /dev/null
sha256sum --check --quiet <<'SUMS'
8d9bed01a672e7eaf387942d781ad47c6a43089a30a0306060f9fd5ac7870347  react-18.3.1.tgz
031d4427a99f2f3f6cac18bbbf308594a67e4f47d10f4896fdec446505b040e0  react-dom-18.3.1.tgz
d955c99ae100ed5facb45f4f94d1a8c0a156f81106434f0e35b0dcb0be574f27  graphiql-3.9.0.tgz
SUMS
for archive in *.tgz; do
  mkdir "${archive%.tgz}" && tar xzf "$archive" -C "${archive%.tgz}" --strip-components 1
done

# Source maps are not served. The fonts are left out: they are 270 kB, under licences of their own, and the system's do as well.
cat react-18.3.1/umd/react.production.min.js react-dom-18.3.1/umd/react-dom.production.min.js graphiql-3.9.0/graphiql.min.js \
  | sed -E 's|//# sourceMappingURL=.*||' > graphiql.js
sed -E 's/@font-face ?\{[^}]*\}//g; s|/\*# sourceMappingURL=[^*]*\*/||' graphiql-3.9.0/graphiql.min.css > graphiql.css
if grep -oE 'url\([^)]{0,8}' graphiql.css | grep -qv 'url(data:'; then
  echo 'the style sheet loads something' >&2
  exit 1
fi

# The licences of what the script is made of: of the packages and of all that they depend on.
npm install --silent --ignore-scripts --no-audit --no-fund --prefix closure "${packages[@]}"
(
  cd closure/node_modules
  find . -name package.json -not -path '*/test/*' | sort | while read -r manifest; do
    folder=$(dirname "$manifest")
    name=$(node -p 'const p = require(process.argv[1]); p.name && p.version ? `${p.name} ${p.version}, ${p.license}` : ""' "$PWD/$manifest")
    text=$(find "$folder" -maxdepth 1 -iname 'licen[cs]e*' -type f | sort | head -n 1)
    if [ -n "$name" ] && [ -n "$text" ]; then
      printf '== %s\n\n' "$name"
      sed -e 's/[[:space:]]*$//' "$text"
      printf '\n'
    fi
  done
) > LICENSES.txt

gzip -9n graphiql.js graphiql.css LICENSES.txt
mv graphiql.js.gz graphiql.css.gz LICENSES.txt.gz "$here"
cd "$here"
sha256sum graphiql.js.gz graphiql.css.gz LICENSES.txt.gz > SHA256SUMS
