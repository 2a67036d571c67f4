//! Linear layers in the precision the model was loaded in.

use candle_core::{
    Module, Result, Tensor,
    quantized::{GgmlDType, QMatMul, QTensor},
};
use candle_nn::VarBuilder;

use crate::translation::marian::Precision;

/// `x · weightᵀ + bias` for rows `x`: [rows, in] to [rows, out].
pub(super) struct Linear {
    weight: Weight,
    bias: Tensor,
}

enum Weight {
    /// A view [in, out] of what lies in memory as [out, in]: one row of input makes dot products
    /// of memory that is read in order.
    Full(Tensor),
    Quantized(QMatMul),
}

impl Linear {
    /// Reads `weight` [outputs, inputs] and `bias` [outputs].
    pub(super) fn read(
        (inputs, outputs): (usize, usize),
        precision: Precision,
        builder: &VarBuilder<'_>,
    ) -> Result<Self> {
        let weight = builder.get((outputs, inputs), "weight")?;
        Self::new(&weight, builder.get(outputs, "bias")?, precision)
    }

    /// `weight` is [outputs, inputs], `bias` [outputs] or [1, outputs].
    pub(super) fn new(weight: &Tensor, bias: Tensor, precision: Precision) -> Result<Self> {
        let weight = match precision {
            Precision::F32 => Weight::Full(weight.t()?),
            Precision::Q8 => {
                let quantized = QTensor::quantize(weight, GgmlDType::Q8_0)?;
                Weight::Quantized(QMatMul::from_qtensor(quantized)?)
            }
        };
        Ok(Self { weight, bias })
    }
}

impl Module for Linear {
    fn forward(&self, rows: &Tensor) -> Result<Tensor> {
        let product = match &self.weight {
            Weight::Full(weight) => rows.matmul(weight)?,
            Weight::Quantized(weight) => weight.forward(rows)?,
        };
        product.broadcast_add(&self.bias)
    }
}
