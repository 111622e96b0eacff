import json, tempfile, sys
from pathlib import Path
from collections import Counter
from tests.stored.stage import running_engine, stage_of
from tests.stored.stories import STORIES
from tests.simulation.state_machine import definition
import time
with tempfile.TemporaryDirectory() as folder, running_engine(Path(folder)) as clock:
    out={}
    for name, story in STORIES.items():
        if len(sys.argv)>1 and name not in sys.argv[1:]: continue
        t=time.time()
        with stage_of(name, clock, definition()) as stage:
            story(stage)
        print(name, round(time.time()-t,1), len(stage.recorder.samples), file=sys.stderr)
        out[name]=[[s.group,s.kind,s.value] for s in stage.recorder.samples]
    Path('/tmp/fx.json').write_text(json.dumps(out,indent=1,sort_keys=True))
    for name,s in out.items(): print(Counter((g+'/'+k) for g,k,_ in s),file=sys.stderr)
