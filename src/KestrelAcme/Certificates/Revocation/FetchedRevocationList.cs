using System.Net.Http.Headers;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>A revocation list as it was fetched and read.</summary>
internal sealed record FetchedRevocationList(RevocationList List, EntityTagHeaderValue? Tag);
