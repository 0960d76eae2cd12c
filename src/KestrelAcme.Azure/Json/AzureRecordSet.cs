namespace KestrelAcme.Azure.Json;

/// <summary>All TXT records of a name.</summary>
/// <param name="Properties">What the set holds.</param>
/// <param name="Etag">Changes with each change of the set; not written.</param>
internal sealed record AzureRecordSet(AzureRecordSetProperties? Properties, string? Etag = null);
