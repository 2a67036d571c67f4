//! Linear layers in the precision the model was loaded in.

use super::{
    bytes::{ByteMatrix, Shelf},
    rows::Rows,
};
use crate::translation::marian::{Precision, weights::At};
use candle_core::{Result, Tensor};

/// `x · weightᵀ + bias` for rows `x`.
pub(in crate::translation::marian) struct Linear {
    weight: Weight,
    bias: Vec<f32>,
}

/// A matrix `[outputs, inputs]`.
pub(in crate::translation::marian) enum Weight {
    /// A view [inputs, outputs] of it: one row of input makes dot products of memory that is read in
    /// order.
    Full(Tensor),
    Bytes(ByteMatrix),
}

impl Linear {
    /// `bias` is [outputs].
    pub(in crate::translation::marian) fn of_bytes(weight: ByteMatrix, bias: Vec<f32>) -> Self {
        Self {
            weight: Weight::Bytes(weight),
            bias,
        }
    }

    /// Reads `weight` [outputs, inputs] and `bias` [outputs].
    pub(super) fn read((inputs, outputs): (usize, usize), at: &At<'_>) -> Result<Self> {
        Ok(Self {
            weight: at.matrix("weight", outputs, inputs)?,
            bias: at.numbers("bias", outputs)?,
        })
    }

    /// Reads several layers, each with as many `outputs`, as one that has their outputs one after the other.
    pub(super) fn read_stacked(
        (inputs, outputs): (usize, usize),
        names: &[&str],
        at: &At<'_>,
    ) -> Result<Self> {
        let weights: Vec<String> = names.iter().map(|name| format!("{name}.weight")).collect();
        let biases = names
            .iter()
            .map(|name| at.at(name).numbers("bias", outputs));
        Ok(Self {
            weight: at.stacked(&weights, outputs, inputs)?,
            bias: biases.collect::<Result<Vec<_>>>()?.concat(),
        })
    }

    /// [rows, inputs] to [rows, outputs].
    pub(in crate::translation::marian) fn forward(&self, rows: &Rows) -> Result<Rows> {
        self.weight.product(rows, &self.bias)
    }
}

impl Weight {
    /// `weight` is [outputs, inputs].
    pub(in crate::translation::marian) fn new(
        weight: &Tensor,
        precision: Precision,
        shelf: &Shelf,
    ) -> Result<Self> {
        Ok(match precision {
            Precision::F32 => Self::Full(weight.t()?),
            Precision::Q8 => {
                let (_, inputs) = weight.dims2()?;
                let numbers: Vec<f32> = weight.flatten_all()?.to_vec1()?;
                Self::Bytes(ByteMatrix::quantize(&numbers, inputs, shelf))
            }
        })
    }

    /// [rows, inputs] to [rows, outputs], to each of which `bias` [outputs] is added: as many of the
    /// first outputs as there are biases.
    pub(super) fn product(&self, rows: &Rows, bias: &[f32]) -> Result<Rows> {
        let weight = match self {
            Self::Bytes(weight) => return Ok(weight.product(rows, bias)),
            Self::Full(weight) => weight,
        };
        let shape = (rows.count(), rows.width());
        let rows = Tensor::from_slice(rows.numbers(), shape, weight.device())?;
        let weight = weight.narrow(1, 0, bias.len())?;
        let product = rows.matmul(&weight)?.flatten_all()?.to_vec1()?;
        let mut product = Rows::new(product, bias.len());
        for row in product.iter_mut() {
            for (number, bias) in row.iter_mut().zip(bias) {
                *number += bias;
            }
        }
        Ok(product)
    }

    /// The weights of one output, as a row.
    pub(super) fn row(&self, output: usize) -> Result<Vec<f32>> {
        match self {
            Self::Full(weight) => weight.narrow(1, output, 1)?.flatten_all()?.to_vec1(),
            Self::Bytes(weight) => Ok(weight.row(output)),
        }
    }
}
