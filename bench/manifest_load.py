"""What does a manifest cost, read here, against PyYAML's loader in C?"""

from collections.abc import Iterator

import yaml
from jaseci.svc import manifest

from bench.harness import Answer, Snippet, compare

DOCUMENT = """---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop-{number}
  labels: &labels {{app: shop, tier: web, number: "{number}"}}
spec:
  replicas: 3
  selector: {{matchLabels: *labels}}
  template:
    metadata: {{labels: *labels}}
    spec:
      containers:
      - name: shop
        image: "registry.example/shop:1.{number}"
        command: [python, -m, shop, --port, "8080"]
        env:
        - {{name: DEBUG, value: "off"}}
        - {{name: STARTED, value: '2001-12-14'}}
        ports:
        - containerPort: 8080
          protocol: TCP
        resources:
          limits: {{cpu: 500m, memory: 1.5Gi}}
          requests: {{cpu: 0.5, memory: 512Mi}}
        livenessProbe:
          httpGet: {{path: /healthz, port: 8080}}
          initialDelaySeconds: 10
          periodSeconds: 5
        volumeMounts:
        - name: config
          mountPath: /etc/shop
          readOnly: yes
      volumes:
      - name: config
        configMap: {{name: shop, defaultMode: 0644}}
"""
NUMBER = 30


def answers() -> Iterator[Answer]:
    text = "".join(DOCUMENT.format(number=number) for number in range(NUMBER))
    # Without its C library PyYAML is no rival worth the name: an error here says so.
    names = {"ours": manifest.load, "theirs": yaml.load_all, "Loader": yaml.CSafeLoader, "text": text}
    loaded = manifest.load(text)
    assert loaded == {"Deployment": list(yaml.load_all(text, yaml.CSafeLoader))}
    yield compare(
        f"manifest.load, {NUMBER} documents",
        Snippet("ours(text)", names),
        Snippet("list(theirs(text, Loader))", names),
        1 / 4,
    )
