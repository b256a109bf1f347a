//! The shared repository trait: the same functions for every kind of row, all within a tenant's scope.

use std::collections::HashMap;
use std::future::Future;
use std::hash::Hash;

use sea_orm::sea_query::IntoCondition;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, FromQueryResult, IntoActiveModel, Value,
};

use crate::error::{Error, Result};
use crate::id::TypedId;
use crate::page::{Page, PageRequest};
use crate::store::{Access, Keyset, ParentKey, ReadWrite, Scoped, TenantScoped};

/// A table of a tenant's objects, by id.
///
/// An implementation names the entity, the public record and the id; the functions are provided. Every function takes a
/// [`Scoped`], so none can reach other tenants.
pub trait Repository {
    /// The table.
    type Entity: TenantScoped<Model: FromQueryResult + IntoActiveModel<Self::Row> + Send + Sync>;
    /// The table's row to write.
    type Row: ActiveModelTrait<Entity = Self::Entity> + Send;
    /// The public record.
    type Record: From<<Self::Entity as EntityTrait>::Model> + Send;
    /// The kind of id.
    type Id: TypedId + Eq + Hash + Into<Value>;

    /// The column of the id.
    const KEY: <Self::Entity as EntityTrait>::Column;
    /// The id of a record.
    fn id_of(record: &Self::Record) -> Self::Id;

    /// The object with that id, if the tenant has it.
    fn get<A: Access>(
        scoped: &Scoped<A>,
        id: Self::Id,
    ) -> impl Future<Output = Result<Option<Self::Record>>> + Send {
        async move {
            let row = scoped
                .find::<Self::Entity>()
                .filter(Self::KEY.eq(id))
                .one()
                .await?;
            Ok(row.map(Into::into))
        }
    }

    /// The object with that id, or [`Error::NotFound`]: also for an object of another tenant.
    fn require<A: Access>(
        scoped: &Scoped<A>,
        id: Self::Id,
    ) -> impl Future<Output = Result<Self::Record>> + Send {
        async move {
            Self::get(scoped, id)
                .await?
                .ok_or(Error::NotFound(Self::Id::PREFIX))
        }
    }

    /// The tenant's objects with those ids.
    fn get_many<A: Access>(
        scoped: &Scoped<A>,
        ids: &[Self::Id],
    ) -> impl Future<Output = Result<HashMap<Self::Id, Self::Record>>> + Send {
        async move {
            let rows: Vec<<Self::Entity as EntityTrait>::Model> = scoped
                .find_in::<Self::Entity, _>(Self::KEY, ids.iter().copied())
                .of_unique(ids.len())
                .all()
                .await?;
            Ok(rows
                .into_iter()
                .map(Self::Record::from)
                .map(|record| (Self::id_of(&record), record))
                .collect())
        }
    }

    /// One page of the objects that meet the condition, newest first.
    fn list<A: Access>(
        scoped: &Scoped<A>,
        which: impl IntoCondition + Send,
        page: &PageRequest,
    ) -> impl Future<Output = Result<Page<Self::Record>>> + Send {
        async move {
            let page = scoped
                .find::<Self::Entity>()
                .filter(which)
                .page(Keyset::descending(Self::KEY), page)
                .await?;
            Ok(page.map(Into::into))
        }
    }

    /// The number of objects that meet the condition.
    fn count<A: Access>(
        scoped: &Scoped<A>,
        which: impl IntoCondition + Send,
    ) -> impl Future<Output = Result<u64>> + Send {
        async move { scoped.find::<Self::Entity>().filter(which).count().await }
    }

    /// The same page of the objects of each of many parents, newest first. `parent` is the column that refers to the
    /// parent. A parent without objects is not in the map.
    fn pages_by<A: Access, K: ParentKey>(
        scoped: &Scoped<A>,
        parent: <Self::Entity as EntityTrait>::Column,
        parents: &[K],
        request: &PageRequest,
    ) -> impl Future<Output = Result<HashMap<K, Page<Self::Record>>>> + Send {
        async move {
            let pages = scoped
                .find::<Self::Entity>()
                .pages_by(parent, parents, Keyset::descending(Self::KEY), request)
                .await?;
            Ok(pages_map(pages))
        }
    }

    /// The number of objects of each of many parents. A parent without objects is not in the map.
    fn counts_by<A: Access, K: ParentKey>(
        scoped: &Scoped<A>,
        parent: <Self::Entity as EntityTrait>::Column,
        parents: &[K],
    ) -> impl Future<Output = Result<HashMap<K, u64>>> + Send {
        async move {
            scoped
                .find::<Self::Entity>()
                .counts_by(parent, parents)
                .await
        }
    }

    /// Adds an object.
    fn insert(
        scoped: &Scoped<ReadWrite>,
        row: Self::Row,
    ) -> impl Future<Output = Result<Self::Record>> + Send {
        async move { Ok(scoped.insert(row).await?.into()) }
    }

    /// Changes an object, or returns [`Error::NotFound`].
    fn update(
        scoped: &Scoped<ReadWrite>,
        id: Self::Id,
        changes: Self::Row,
    ) -> impl Future<Output = Result<Self::Record>> + Send {
        async move {
            if scoped.update(Self::KEY.eq(id), changes).await? == 0 {
                return Err(Error::NotFound(Self::Id::PREFIX));
            }
            Self::require(scoped, id).await
        }
    }

    /// Deletes an object, or returns [`Error::NotFound`].
    fn delete(scoped: &Scoped<ReadWrite>, id: Self::Id) -> impl Future<Output = Result<()>> + Send {
        async move {
            match scoped.delete::<Self::Entity>(Self::KEY.eq(id)).await? {
                0 => Err(Error::NotFound(Self::Id::PREFIX)),
                _ => Ok(()),
            }
        }
    }
}

/// A list that belongs to a parent, such as the notes of a project.
///
/// It is declared once, mostly by [`child_list!`](crate::child_list). [`page`](Self::page) reads the list of one
/// parent, [`pages`](Self::pages) those of many parents, with as many statements as for one.
pub trait ChildList: Clone + Eq + Hash + Send + Sync + 'static {
    /// The id of the parent.
    type Parent: Copy + Eq + Hash + Send + Sync + 'static;
    /// The type of the items.
    type Item: Clone + Send + Sync + 'static;

    /// The same page of the lists of many parents. A parent whose list is empty may be left out.
    ///
    /// # Errors
    /// The database fails; [`Error::InvalidCursor`].
    fn pages<A: Access>(
        &self,
        scoped: &Scoped<A>,
        parents: &[Self::Parent],
        request: &PageRequest,
    ) -> impl Future<Output = Result<HashMap<Self::Parent, Page<Self::Item>>>> + Send;

    /// The number of items of each of those lists. A parent whose list is empty may be left out.
    ///
    /// # Errors
    /// The database fails.
    fn counts<A: Access>(
        &self,
        scoped: &Scoped<A>,
        parents: &[Self::Parent],
    ) -> impl Future<Output = Result<HashMap<Self::Parent, u64>>> + Send;

    /// One page of one parent's list.
    ///
    /// # Errors
    /// As [`pages`](Self::pages).
    fn page<A: Access>(
        &self,
        scoped: &Scoped<A>,
        parent: Self::Parent,
        request: &PageRequest,
    ) -> impl Future<Output = Result<Page<Self::Item>>> + Send {
        async move {
            let page = self
                .pages(scoped, &[parent], request)
                .await?
                .remove(&parent);
            Ok(page.unwrap_or_else(|| Page::empty(request)))
        }
    }

    /// How many items one parent's list has.
    ///
    /// # Errors
    /// As [`counts`](Self::counts).
    fn count<A: Access>(
        &self,
        scoped: &Scoped<A>,
        parent: Self::Parent,
    ) -> impl Future<Output = Result<u64>> + Send {
        async move {
            let count = self.counts(scoped, &[parent]).await?.remove(&parent);
            Ok(count.unwrap_or(0))
        }
    }
}

/// A list of a tenant's objects without a parent, such as its projects. The type is the list's name and holds its
/// filter.
///
/// It is declared once, mostly by [`root_list!`](crate::root_list), so that a page and the total count have the same
/// filter.
pub trait RootList: Clone + Send + Sync + 'static {
    /// The type of the items.
    type Item: Send;

    /// One page of the list.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::Invalid`] for an invalid filter; [`Error::InvalidCursor`]; the database fails.
    fn page<A: Access>(
        &self,
        scoped: &Scoped<A>,
        request: &PageRequest,
    ) -> impl Future<Output = Result<Page<Self::Item>>> + Send;

    /// The total number of items.
    ///
    /// # Errors
    /// As [`page`](Self::page), except for cursors.
    fn count<A: Access>(&self, scoped: &Scoped<A>) -> impl Future<Output = Result<u64>> + Send;
}

/// Converts pages of rows into pages of records, by parent.
pub fn pages_map<K: Eq + Hash, T, U: From<T>>(pages: HashMap<K, Page<T>>) -> HashMap<K, Page<U>> {
    let pages = pages.into_iter();
    pages.map(|(key, page)| (key, page.map(U::from))).collect()
}

/// Declares the [`ChildList`] of a repository's objects by the column that refers to their parent, newest first:
/// `child_list! { /// Notes of a project. pub ProjectNotes: Notes, note.ProjectId: ProjectId }`.
#[macro_export]
macro_rules! child_list {
    (
        $(#[$meta:meta])*
        $vis:vis $name:ident: $repository:ty, $entity:ident.$column:ident: $parent:ty
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        $vis struct $name;

        impl $crate::ChildList for $name {
            type Parent = $parent;
            type Item = <$repository as $crate::Repository>::Record;

            async fn pages<A: $crate::Access>(
                &self,
                scoped: &$crate::Scoped<A>,
                parents: &[$parent],
                request: &$crate::PageRequest,
            ) -> $crate::Result<std::collections::HashMap<$parent, $crate::Page<Self::Item>>> {
                let column = $entity::Column::$column;
                <$repository as $crate::Repository>::pages_by(scoped, column, parents, request).await
            }

            async fn counts<A: $crate::Access>(
                &self,
                scoped: &$crate::Scoped<A>,
                parents: &[$parent],
            ) -> $crate::Result<std::collections::HashMap<$parent, u64>> {
                let column = $entity::Column::$column;
                <$repository as $crate::Repository>::counts_by(scoped, column, parents).await
            }
        }
    };
}

/// Declares the [`RootList`] of a type by the functions that read a page and that count, and by the type's filter, if
/// they take one: `root_list! { NoteList => Note: note_list, note_count, |list| list.query.as_deref() }`.
#[macro_export]
macro_rules! root_list {
    ($name:ty => $item:ty: $page:path, $count:path $(, |$list:ident| $filter:expr)?) => {
        impl $crate::RootList for $name {
            type Item = $item;

            async fn page<A: $crate::Access>(
                &self,
                scoped: &$crate::Scoped<A>,
                request: &$crate::PageRequest,
            ) -> $crate::Result<$crate::Page<$item>> {
                $(let $list = self;)?
                $page(scoped, $($filter,)? request).await
            }

            async fn count<A: $crate::Access>(&self, scoped: &$crate::Scoped<A>) -> $crate::Result<u64> {
                $(let $list = self;)?
                $count(scoped $(, $filter)?).await
            }
        }
    };
}

/// Declares the [`Repository`] of a table: `repository! { /// Notes. pub Notes: note => Note, Id = id: NoteId }` reads
/// the entity of the module `note` into the record `Note`, whose id is the column `Id` of the table and the field `id`
/// of the record.
///
/// ```
/// use nyxcore_tenancy::{doc_entity, repository, typed_id};
///
/// typed_id!(
///     /// A note's id.
///     NoteId,
///     "note"
/// );
///
/// /// What others see of a note.
/// pub struct Note {
///     pub id: NoteId,
/// }
///
/// impl From<doc_entity::Model> for Note {
///     fn from(row: doc_entity::Model) -> Self {
///         Self { id: NoteId(row.id) }
///     }
/// }
///
/// repository! {
///     /// Notes of a tenant.
///     pub Notes: doc_entity => Note, Id = id: NoteId
/// }
/// ```
#[macro_export]
macro_rules! repository {
    (
        $(#[$meta:meta])*
        $vis:vis $name:ident: $entity:ident => $record:ty, $column:ident = $field:ident: $id:ty
    ) => {
        $(#[$meta])*
        $vis struct $name;

        impl $crate::Repository for $name {
            type Entity = $entity::Entity;
            type Row = $entity::ActiveModel;
            type Record = $record;
            type Id = $id;
            const KEY: $entity::Column = $entity::Column::$column;
            fn id_of(record: &$record) -> $id {
                record.$field
            }
        }
    };
}
