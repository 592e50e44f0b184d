// Counts over replicates that lie on the device: one pass over what was drawn, where a graph of operators needs ten.
//
// A tensor holds K replicates of A * B elements, element i of replicate r at ((i / B) * K + r) * B + i % B.
// Everything that is added to starts as zero. Blocks divide the elements along x; y is a replicate, or a few of them.
// V elements are read at once: four where B allows it.

typedef unsigned long long count_t;

#define ENDLESS __int_as_float(0x7f800000)

template <int V> struct alignas(4 * V) Pack { float at[V]; };

template <int V> __device__ Pack<V> read(const float *data, count_t place) {
  return *reinterpret_cast<const Pack<V> *>(data + place);
}

template <typename T> __device__ T sum_of_warp(T value) {
  for (int offset = 16; offset; offset >>= 1) value += __shfl_down_sync(~0u, value, offset);
  return value;
}

__device__ unsigned highest_of_warp(unsigned value) {
  for (int offset = 16; offset; offset >>= 1) value = max(value, __shfl_down_sync(~0u, value, offset));
  return value;
}

// Compare a tensor after a mask with the one before it, which is the same in all replicates where `fixed`.
// found: kept, cells that tell kept from dropped, elements that are not finite or whose factor is not positive, the
// bits of the largest factor, and those of the smallest taken from ~0: K of each.
template <int V>
__device__ void mask(const float *before, const float *after, int fixed, unsigned A, unsigned K, unsigned B,
                     float limit, count_t *found) {
  unsigned replicate = blockIdx.y, kept = 0, cells = 0, strange = 0, highest = 0, lowest = 0;
  for (unsigned i = (blockIdx.x * blockDim.x + threadIdx.x) * V; i < A * B; i += gridDim.x * blockDim.x * V) {
    unsigned a = A == 1 ? 0 : i / B;
    count_t place = (count_t(a) * K + replicate) * B + (i - a * B);
    Pack<V> x = read<V>(before, fixed ? i : place), y = read<V>(after, place);
    for (int v = 0; v < V; ++v) {
      float size = fabsf(x.at[v]);
      bool finite = fabsf(y.at[v]) < ENDLESS, tells = size > limit && size < ENDLESS;
      float factor = y.at[v] / x.at[v];
      bool keeps = finite && tells && factor != 0, fine = factor > 0 && factor < ENDLESS;
      cells += tells;
      kept += keeps;
      strange += !finite || (keeps && !fine);
      if (keeps && fine) {
        highest = max(highest, __float_as_uint(factor));
        lowest = max(lowest, ~__float_as_uint(factor));
      }
    }
  }
  kept = sum_of_warp(kept), cells = sum_of_warp(cells), strange = sum_of_warp(strange);
  highest = highest_of_warp(highest), lowest = highest_of_warp(lowest);
  if (threadIdx.x % 32 == 0) {
    atomicAdd(found + replicate, count_t(kept));
    atomicAdd(found + K + replicate, count_t(cells));
    if (strange) atomicAdd(found + 2 * K + replicate, count_t(strange));
    atomicMax(found + 3 * K + replicate, count_t(highest));
    atomicMax(found + 4 * K + replicate, count_t(lowest));
  }
}

// Project each replicate on the weights, and count the zeros where the weight is above a limit.
template <int V>
__device__ void rows(const float *values, const float *weights, unsigned A, unsigned K, unsigned B, float limit,
                     double *projections, count_t *zeros) {
  unsigned replicate = blockIdx.y, zero = 0;
  double product = 0;
  for (unsigned i = (blockIdx.x * blockDim.x + threadIdx.x) * V; i < A * B; i += gridDim.x * blockDim.x * V) {
    unsigned a = A == 1 ? 0 : i / B;
    Pack<V> y = read<V>(values, (count_t(a) * K + replicate) * B + (i - a * B));
    Pack<V> w = read<V>(weights, i);
    for (int v = 0; v < V; ++v) {
      product += double(y.at[v]) * w.at[v];
      zero += y.at[v] == 0 && fabsf(w.at[v]) > limit;
    }
  }
  product = sum_of_warp(product), zero = sum_of_warp(zero);
  if (threadIdx.x % 32 == 0) {
    atomicAdd(projections + replicate, product);
    atomicAdd(zeros + replicate, count_t(zero));
  }
}

// Sum `few` replicates, and add the products with the weights to the step that an element belongs to, (i / R) % Q.
template <int V>
__device__ void columns(const float *values, const float *weights, unsigned A, unsigned K, unsigned B, unsigned few,
                        unsigned Q, unsigned R, double *products) {
  unsigned i = (blockIdx.x * blockDim.x + threadIdx.x) * V, first = blockIdx.y * few;
  unsigned last = min(first + few, K), step = 0;
  double total = 0, each[V] = {};
  bool inside = i < A * B, alike = true;
  if (inside) {
    unsigned a = A == 1 ? 0 : i / B;
    const float *start = values + (count_t(a) * K * B + (i - a * B));
#pragma unroll 8
    for (unsigned replicate = first; replicate < last; ++replicate) {
      Pack<V> y = read<V>(start, count_t(replicate) * B);
      for (int v = 0; v < V; ++v) each[v] += y.at[v];
    }
    Pack<V> w = read<V>(weights, i);
    step = (i / R) % Q;
    for (int v = 0; v < V; ++v) {
      each[v] *= w.at[v];
      total += each[v];
      alike = alike && ((i + v) / R) % Q == step;
    }
  }
  unsigned leader = __shfl_sync(~0u, step, 0);
  if (__all_sync(~0u, !inside || (alike && step == leader))) {
    total = sum_of_warp(total);
    if (threadIdx.x % 32 == 0 && inside) atomicAdd(products + step, total);
  } else if (inside) {
    for (int v = 0; v < V; ++v) atomicAdd(products + ((i + v) / R) % Q, each[v]);
  }
}

#define KERNELS(V)                                                                                                    \
  extern "C" __global__ void mask##V(const float *before, const float *after, int fixed, unsigned A, unsigned K,     \
                                     unsigned B, float limit, count_t *found) {                                      \
    mask<V>(before, after, fixed, A, K, B, limit, found);                                                            \
  }                                                                                                                   \
  extern "C" __global__ void rows##V(const float *values, const float *weights, unsigned A, unsigned K, unsigned B,  \
                                     float limit, double *projections, count_t *zeros) {                             \
    rows<V>(values, weights, A, K, B, limit, projections, zeros);                                                    \
  }                                                                                                                   \
  extern "C" __global__ void columns##V(const float *values, const float *weights, unsigned A, unsigned K,           \
                                        unsigned B, unsigned few, unsigned Q, unsigned R, double *products) {        \
    columns<V>(values, weights, A, K, B, few, Q, R, products);                                                       \
  }
KERNELS(1)
KERNELS(4)
