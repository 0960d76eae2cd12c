using System.Text.Json.Serialization;
using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Discovery;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Orders;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.RenewalInformation;
using KestrelAcme.LocalAuthority.Revocation;

namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>
/// The source-generated serializer of all JSON. Duplicate members are rejected, because different readers might pick
/// different ones.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(FlattenedJws))]
[JsonSerializable(typeof(ProtectedHeader))]
[JsonSerializable(typeof(JsonWebKey))]
[JsonSerializable(typeof(Problem))]
[JsonSerializable(typeof(DirectoryResource))]
[JsonSerializable(typeof(NewAccountPayload))]
[JsonSerializable(typeof(AccountUpdatePayload))]
[JsonSerializable(typeof(KeyChangePayload))]
[JsonSerializable(typeof(AccountResource))]
[JsonSerializable(typeof(OrdersListResource))]
[JsonSerializable(typeof(NewOrderPayload))]
[JsonSerializable(typeof(FinalizePayload))]
[JsonSerializable(typeof(OrderResource))]
[JsonSerializable(typeof(AuthorizationUpdatePayload))]
[JsonSerializable(typeof(AuthorizationResource))]
[JsonSerializable(typeof(ChallengeResource))]
[JsonSerializable(typeof(RevocationPayload))]
[JsonSerializable(typeof(RenewalInformationResource))]
[JsonSerializable(typeof(RevocationFile))]
internal sealed partial class AuthorityJson : JsonSerializerContext;
