//! Guides and findings as resources: `waxseal://guides/NAME` and `waxseal://findings/CODE`, in Markdown.

use rmcp::ErrorData;
use rmcp::model::{
    ListResourceTemplatesResult, ListResourcesResult, ReadResourceResult, Resource,
    ResourceContents, ResourceTemplate,
};
use waxseal_guides::{finding, markdown, page, pages};

const GUIDES: &str = "waxseal://guides/";
const FINDINGS: &str = "waxseal://findings/";
const MARKDOWN: &str = "text/markdown";

/// Every guide page.
pub(super) fn list() -> ListResourcesResult {
    let resources = pages().iter().map(|page| {
        Resource::new(format!("{GUIDES}{}", page.name), page.name)
            .with_title(page.title.clone())
            .with_description(page.summary.clone())
            .with_mime_type(MARKDOWN)
    });
    ListResourcesResult::with_all_items(resources.collect())
}

/// Findings by code: there are too many to list.
pub(super) fn templates() -> ListResourceTemplatesResult {
    let guide = ResourceTemplate::new(format!("{GUIDES}{{name}}"), "guide")
        .with_description("A guide page; list_guides has the names.")
        .with_mime_type(MARKDOWN);
    let finding = ResourceTemplate::new(format!("{FINDINGS}{{code}}"), "finding")
        .with_description("What a finding means and how it is fixed; list_findings has the codes.")
        .with_mime_type(MARKDOWN);
    ListResourceTemplatesResult::with_all_items(vec![guide, finding])
}

/// One of them.
pub(super) fn read(uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let text = if let Some(name) = uri.strip_prefix(GUIDES) {
        page(name).map(markdown::page_markdown)
    } else {
        uri.strip_prefix(FINDINGS).and_then(finding).map(markdown::finding_markdown)
    };
    let text =
        text.ok_or_else(|| ErrorData::resource_not_found("there is no such resource", None))?;
    let contents = ResourceContents::text(text, uri).with_mime_type(MARKDOWN);
    Ok(ReadResourceResult::new(vec![contents]))
}
