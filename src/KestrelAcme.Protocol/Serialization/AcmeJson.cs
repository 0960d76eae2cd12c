using System.Text.Json;
using System.Text.Json.Serialization;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.RenewalInformation;

namespace KestrelAcme.Protocol.Serialization;

/// <summary>The source-generated serializer of all ACME JSON.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(DirectoryDocument))]
[JsonSerializable(typeof(AccountDocument))]
[JsonSerializable(typeof(NewAccountPayload))]
[JsonSerializable(typeof(AccountUpdatePayload))]
[JsonSerializable(typeof(KeyChangePayload))]
[JsonSerializable(typeof(JsonDocument))]
[JsonSerializable(typeof(OrderDocument))]
[JsonSerializable(typeof(NewOrderPayload))]
[JsonSerializable(typeof(FinalizePayload))]
[JsonSerializable(typeof(AuthorizationDocument))]
[JsonSerializable(typeof(NewAuthorizationPayload))]
[JsonSerializable(typeof(AuthorizationUpdatePayload))]
[JsonSerializable(typeof(ChallengeDocument))]
[JsonSerializable(typeof(ProblemDocument))]
[JsonSerializable(typeof(RenewalInfoDocument))]
[JsonSerializable(typeof(RevocationPayload))]
internal sealed partial class AcmeJson : JsonSerializerContext;
