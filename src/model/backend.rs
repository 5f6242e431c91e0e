//! Where the arithmetic runs: the only place that names a burn backend.

use std::{fmt, path::Path};

use burn::tensor::{Device, DeviceKind, DeviceType};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::host_product::multiplies_and_adds;

/// A backend as asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BackendKind {
    /// A real GPU where there is one, the faster CPU backend otherwise.
    #[default]
    Auto,
    /// A GPU through wgpu (Vulkan, Metal, DirectX); software adapters too.
    Wgpu,
    /// The CPU through burn-ndarray.
    Ndarray,
    /// The CPU, the faster of the two: by our own arithmetic, or by burn-ndarray on an old CPU that cannot multiply and
    /// add in one instruction.
    #[serde(alias = "flex")]
    Cpu,
}

impl BackendKind {
    /// Its name, as typed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Wgpu => "wgpu",
            Self::Ndarray => "ndarray",
            Self::Cpu => "cpu",
        }
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// Why a backend cannot be used.
#[derive(Debug, Error)]
pub enum BackendError {
    /// No wgpu adapter.
    #[error(
        "backend `wgpu`: no graphics adapter was found, expected a GPU or a software Vulkan \
         driver\n\nhint: use `--backend auto` or `--backend cpu` for the CPU; on Linux check that \
         a Vulkan driver is installed (`vulkaninfo`)"
    )]
    NoAdapter,
}

/// A backend that is ready to use.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Which one it is; never `Auto`.
    pub kind: BackendKind,
    /// The device, without gradient tracking.
    pub device: Device,
    /// Name of the graphics adapter or of the CPU backend.
    pub name: String,
    /// Why it was chosen.
    pub reason: String,
    /// Whether the CPU emulates the adapter: many units that wait for each other are slow there.
    pub emulated: bool,
}

impl Backend {
    /// Finds the backend `kind`.
    ///
    /// # Errors
    /// When `wgpu` is asked for and there is no adapter.
    pub fn select(kind: BackendKind) -> Result<Self, BackendError> {
        match kind {
            BackendKind::Auto => Ok(Self::automatic()),
            BackendKind::Wgpu => Self::any_adapter(),
            BackendKind::Ndarray => Ok(Self::ndarray("asked for")),
            BackendKind::Cpu => Ok(Self::cpu("asked for")),
        }
    }

    /// Every backend that this machine offers, the automatic choice first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let adapters = adapters();
        let gpus = adapters.iter().filter(|device| !is_software(device));
        let software = adapters.iter().filter(|device| is_software(device));
        let mut found: Vec<Self> = gpus.map(|gpu| Self::adapter(gpu, "GPU")).collect();
        found.push(Self::cpu("CPU, the faster of the two CPU backends"));
        found.push(Self::ndarray("CPU"));
        found.extend(software.map(|device| {
            Self::adapter(device, "software graphics adapter; only used when asked for")
        }));
        found
    }

    /// The CPU, for what is too small or too rare to leave it.
    #[must_use]
    pub fn host() -> Self {
        Self::cpu("small work")
    }

    /// Whether tensors live in host memory.
    #[must_use]
    pub fn is_cpu(&self) -> bool {
        self.kind != BackendKind::Wgpu
    }

    fn automatic() -> Self {
        if !may_have_gpu() {
            return Self::cpu("automatic: no GPU was found");
        }
        match adapters().iter().find(|device| !is_software(device)) {
            Some(gpu) => Self::adapter(gpu, "automatic: a GPU was found"),
            None => Self::cpu("automatic: no GPU was found"),
        }
    }

    fn any_adapter() -> Result<Self, BackendError> {
        let adapters = adapters();
        let gpu = adapters.iter().find(|device| !is_software(device));
        let device = gpu.or(adapters.first()).ok_or(BackendError::NoAdapter)?;
        let software = is_software(device);
        Ok(Self::adapter(
            device,
            if software { "asked for; a software adapter is slow" } else { "asked for" },
        ))
    }

    fn adapter(device: &Device, reason: &str) -> Self {
        let name = device.identity().map_or_else(|| "unnamed adapter".to_owned(), |id| id.name);
        let (kind, reason) = (BackendKind::Wgpu, reason.to_owned());
        Self { kind, device: device.clone(), name, reason, emulated: is_software(device) }
    }

    fn cpu(reason: &str) -> Self {
        let name = if multiplies_and_adds() { "own arithmetic" } else { "burn-ndarray" };
        Self { kind: BackendKind::Cpu, name: name.to_owned(), ..Self::ndarray(reason) }
    }

    fn ndarray(reason: &str) -> Self {
        #[expect(deprecated, reason = "burn's CPU backend of this project")]
        let device = Device::ndarray();
        let (kind, name) = (BackendKind::Ndarray, "burn-ndarray".to_owned());
        Self { kind, device, name, reason: reason.to_owned(), emulated: false }
    }
}

/// The wgpu adapters of this machine; listing them does not open them.
fn adapters() -> Vec<Device> {
    Device::enumerate(DeviceType::Wgpu).into_vec()
}

/// Whether the system offers a graphics device at all. Where it does not, drivers need not be asked, which takes a while
/// and lets some complain on standard error.
fn may_have_gpu() -> bool {
    const DEVICES: [&str; 6] =
        ["/dev/dri", "/dev/nvidiactl", "/dev/nvmap", "/dev/dxg", "/dev/mali0", "/dev/kgsl-3d0"];
    !cfg!(target_os = "linux") || DEVICES.iter().any(|device| Path::new(device).exists())
}

/// Whether an adapter computes on the CPU (llvmpipe, WARP).
fn is_software(device: &Device) -> bool {
    *device == Device::wgpu(DeviceKind::Cpu)
}
