using System.Net.Http.Headers;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>A revocation list as it was fetched.</summary>
internal sealed record FetchedRevocationList(ReadOnlyMemory<byte> Content, EntityTagHeaderValue? Tag);
