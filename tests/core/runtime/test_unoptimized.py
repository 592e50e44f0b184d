"""Claims about models that run only as they are: the runtime's optimizations make of them what does not run."""

from __future__ import annotations

from dropaudit import ArtifactSubject, Plan, Role, audit
from dropaudit.plan import Provider
from support.graphs import model

# Mask and data of a float16 site in the body of a Scan, returned side by side, come to nothing in onnxruntime 1.31.
HALF_IN_A_BODY = """g (float[N,6,16] x, float[N,16] s) => (float[N,16] y, float[N,6,16] z) <float[16,16] W = {{{}}}> {{
  y, z = Scan<num_scan_inputs = 1, scan_input_axes = [1], scan_output_axes = [1],
    body = b (float[N,16] before, float[N,16] step) => (float[N,16] after, float[N,16] seen) {{
      a = MatMul(step, W)  c = MatMul(before, W)  h = Add(a, c)  t = Tanh(h)  half = Cast<to = 10>(t)
      u = RandomUniformLike<dtype = 1>(t)  v = Cast<to = 10>(u)  limit = Constant<value_float = 0.5>()
      hl = Cast<to = 10>(limit)  k = Less(v, hl)  m = Cast<to = 10>(k)
      one = Constant<value_float = 1.0>()  o = Cast<to = 10>(one)  r = Div(o, hl)  s2 = Mul(half, r)  d = Mul(s2, m)
      e = Cast<to = 1>(d)  after = Identity(e)  seen = Identity(e)
    }}>(s, x)
}}""".format(", ".join(["0.05", "-0.1", "0.2"] * 85 + ["0.1"]))


def test_a_float16_site_in_a_body_is_measured() -> None:
    report = audit(ArtifactSubject(model(HALF_IN_A_BODY), Role.TRAIN), Plan(provider=Provider.CPU))
    (site,) = report.sites
    assert site.keep_prob is not None
    assert site.scale is not None
    assert "DA901" not in {finding.code for finding in report.findings}
