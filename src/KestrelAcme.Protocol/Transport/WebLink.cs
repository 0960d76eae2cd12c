namespace KestrelAcme.Protocol.Transport;

/// <summary>A link from a Link header (RFC 8288), resolved against the URL of the answer.</summary>
internal sealed record WebLink(Uri Url, string Relation);
