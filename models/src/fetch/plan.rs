//! What a fetch may have to take from which package, so that each package is unpacked once.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::{
    catalogue::{Archive, Artifact, Catalogue, FileName, Member, Recipe, Source},
    error::ModelError,
    store::{FileState, Store},
};

/// The files a fetch may have to get: those asked for and those they may be made from.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Files asked for that are not there.
    pub(crate) wanted: Vec<FileName>,
    /// Files that are there and were checked, asked for or not.
    pub(crate) good: HashSet<FileName>,
    /// Paths that some file may be taken from, by package.
    pub(crate) members: BTreeMap<Archive, BTreeSet<String>>,
    /// Members that some file may be taken from, by the pieces of a cut zip.
    pub(crate) cut: Vec<(Vec<Member>, BTreeSet<String>)>,
    /// Files that may need each package.
    pub(crate) users: BTreeMap<Archive, HashSet<FileName>>,
}

impl Plan {
    /// Looks at what is there. Hashes files that have changed since they were last hashed.
    pub(crate) fn new(store: &Store, models: &[String]) -> Result<Self, ModelError> {
        let mut plan = Self::default();
        for name in models {
            let model = store.catalogue().model(name)?;
            for (file, state) in model.files.iter().zip(store.check(model, false)?) {
                let name = FileName {
                    model: model.name.clone(),
                    path: file.path.clone(),
                };
                if state == FileState::Good {
                    plan.good.insert(name);
                } else if !plan.wanted.contains(&name) {
                    plan.wanted.push(name);
                }
            }
        }
        let mut seen = HashSet::new();
        for name in plan.wanted.clone() {
            plan.add_file(store, &name, &name, &mut seen)?;
        }
        Ok(plan)
    }

    /// Adds what `name` may come from, on behalf of `user`.
    fn add_file(
        &mut self,
        store: &Store,
        name: &FileName,
        user: &FileName,
        seen: &mut HashSet<(FileName, FileName)>,
    ) -> Result<(), ModelError> {
        if !seen.insert((name.clone(), user.clone())) {
            return Ok(());
        }
        let model = store.catalogue().model(&name.model)?;
        let Some(position) = model.files.iter().position(|file| file.path == name.path) else {
            return Ok(());
        };
        if self.good.contains(name)
            || store.check(model, false)?.get(position) == Some(&FileState::Good)
        {
            self.good.insert(name.clone());
            return Ok(());
        }
        let artifact = &model.files[position].artifact;
        self.add_artifact(artifact, user);
        for input in artifact.sources.iter().filter_map(Source::input) {
            self.add_file(store, input, user, seen)?;
        }
        Ok(())
    }

    fn add_artifact(&mut self, artifact: &Artifact, user: &FileName) {
        for source in &artifact.sources {
            match source {
                Source::Package(member) => self.add_member(member, user),
                Source::CutZip { pieces, member } => {
                    for piece in pieces {
                        self.add_member(piece, user);
                    }
                    match self.cut.iter_mut().find(|(known, _)| known == pieces) {
                        Some((_, members)) => {
                            members.insert(member.clone());
                        }
                        None => self
                            .cut
                            .push((pieces.clone(), BTreeSet::from([member.clone()]))),
                    }
                }
                Source::Convert(Recipe::WhisperCt2ToGgml { parts, .. }) => {
                    for part in parts {
                        self.add_member(part, user);
                    }
                }
                Source::Convert(Recipe::TorchToSafetensors { from }) => {
                    self.add_artifact(from, user);
                }
                Source::Hub { .. }
                | Source::File(_)
                | Source::Convert(Recipe::QuantizeQ8_0 { .. } | Recipe::MarianToBytes { .. }) => {}
            }
        }
    }

    fn add_member(&mut self, member: &Member, user: &FileName) {
        let Member { archive, path } = member;
        let members = self.members.entry(archive.clone()).or_default();
        members.insert(path.clone());
        let users = self.users.entry(archive.clone()).or_default();
        users.insert(user.clone());
    }

    /// Sizes of the files asked for that are not there, in bytes.
    pub(crate) fn size(&self, catalogue: &Catalogue) -> u64 {
        let files = self.wanted.iter().filter_map(|name| catalogue.file(name));
        files
            .filter_map(|file| file.artifact.content.as_ref())
            .map(|content| content.size)
            .sum()
    }
}
