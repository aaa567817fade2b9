"""Tools: algorithms on the neighbour graph that keep every iteration.

- `_label_propagation`: AnnData in, AnnData out, the story; `_start`: what it leaves open, decided;
  `_stored_run`: its fields and record; `_advice`: what users should know of seeds and outcome
- `_options`: its arguments, checked once
- `_seeds`: every spelling of the seeds; `_seed_labels`: a label a cell; `_unlabeled`: values that
  are none; `_no_label`: names that sound like it; `_signal`: rows and classes, or a table
- `_graph`: which graph, and whether it can be walked on; `_walked`: the same as a run's;
  `_checksum`: told by one number
- `_propagate`: the same on arrays; `_propagation`: iterate, keep, solve; `_outcome`: report
- `_iteration`: one iteration after the other; `_faint`: the same beyond float32;
  `_sums`: of rows and columns; `_history`: what is kept of them
- `_limit`: the converged solution; `_limit_system`: its equations;
  `_limit_bound`: when an entry is right;
  `_limit_direct`: elimination; `_limit_dense`: the same without any subtraction;
  `_limit_krylov`: conjugate gradients, BiCGSTAB, sweeps; `_limit_coarse`: what speeds them up;
  `_limit_far`: entries that these do not see, piece by piece
- `_range`: whether scores fit float32, known beforehand
- `_reorder`: cells renumbered so that neighbours are close in memory
- `_product_kernels`, `_step_kernels`, `_history_kernels`, `_limit_kernels`: compiled loops
- `_blocks`: a graph in blocks, as Dask has it; `_block_scheduler`: what runs tasks on them;
  `_block_tasks`: what these do, `_block_kernels`: its loops
- `_block_propagation`: the same on blocks; `_block_recurrence`: scalings; `_block_state`: one
  iteration after the other; `_block_limit`: the converged solution;
  `_block_plan`: classes at a time
- `_history_store`: columns in a zarr group
- `_peak`, `_phases`: how much memory it takes at most, and what comes before and after it
- `_assign_labels`: from stored scores to labels; `_decide_labels`: how, and what is written
- `_write_results`: results alone, into a store
- `_held_out`: what a run says about seeds held out, and how many cells are of a class
- `_calibration`: confidence that means what it says; `_label_sets`: sets that hold the truth
- `_prior`: what features say, corrected and smoothed; `_prior_choice`: how far
- `_choice`: alpha and clamping, where the call leaves them open
"""

from scanpy_anim.tl._assign_labels import assign_labels
from scanpy_anim.tl._label_propagation import label_propagation
from scanpy_anim.tl._outcome import Propagation
from scanpy_anim.tl._propagate import propagate
from scanpy_anim.tl._write_results import write_results

__all__ = ["Propagation", "assign_labels", "label_propagation", "propagate", "write_results"]
